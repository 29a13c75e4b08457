package pages

// BackupCodes shows a person's new backup codes, this once.
type BackupCodes struct {
	Codes []string
}

func (BackupCodes) Template() (Templates, string) { return templates, "backupcodes.html" }
