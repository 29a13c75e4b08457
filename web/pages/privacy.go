package pages

// Privacy lets a person take along what is kept on them, or have it erased. It posts nothing to /account/download, and
// sure=yes to /account/erase.
type Privacy struct {
	Head      AccountHead
	GraceDays int    // for how long an erasure can be undone
	Failure   string // why they are not erased, or ""
}

func (Privacy) Template() (Templates, string) { return templates, "privacy.html" }
