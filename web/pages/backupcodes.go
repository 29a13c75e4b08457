package pages

import (
	"html/template"
	"net/url"
	"strings"
)

// BackupCodes shows a person's new backup codes, this once.
type BackupCodes struct {
	Host  string // of this server
	Codes []string
}

// File is the codes as a file to be saved, whose address holds it: the server does not know them any more.
func (b BackupCodes) File() template.URL {
	text := b.Host + "\n\n" + strings.Join(b.Codes, "\n") + "\n"
	return template.URL("data:text/plain;charset=utf-8," + url.PathEscape(text))
}

func (BackupCodes) Template() (Templates, string) { return templates, "backupcodes.html" }

// OfferBackupCodes asks a person who has added their first factor to save backup codes. It posts nothing to
// /account/backup-codes.
type OfferBackupCodes struct{ Notice string }

func (OfferBackupCodes) Template() (Templates, string) { return templates, "offerbackupcodes.html" }
