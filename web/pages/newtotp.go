package pages

import (
	"encoding/base64"
	"html/template"
	"strings"
)

// NewTOTP shows a secret to be taken into an authenticator app, and asks for the first code. It posts continue, then,
// id, name and code to /account/totps/confirm.
type NewTOTP struct {
	App      *App // the app that waits, or nil
	ID       string
	Secret   string // base32
	PNG      []byte // the same as a QR code
	Failure  string
	Continue string
	Then     string // the page of ours to go on to where no app waits, or ""
	LaterURI string
}

// Image is the QR code as an address that a browser shows.
func (n NewTOTP) Image() template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(n.PNG))
}

// Typed is the secret in groups of four, which are easier to type.
func (n NewTOTP) Typed() string {
	var groups []string
	for secret := n.Secret; secret != ""; {
		size := min(4, len(secret))
		groups, secret = append(groups, secret[:size]), secret[size:]
	}
	return strings.Join(groups, " ")
}

func (NewTOTP) Template() (Templates, string) { return templates, "newtotp.html" }
