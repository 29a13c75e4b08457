package pages

import "github.com/wicket-id/wicket/web/locales"

// Register lets a person make an account. It posts continue, username, email, name and password to /register, and
// token. What was typed as the password never comes back.
type Register struct {
	App       *App              // the app that waits, or nil
	Values    map[string]string // what is in the fields, by name
	Failures  map[string]string // what is wrong, by the name of the field
	Failure   string
	Rating    *Rating // of the password that was typed, or nil
	Token     string  // the secret of an invitation, handed back unchanged; "" without one
	Continue  string  // opaque: where to go on, handed back unchanged
	NoMail    bool    // this server cannot send email
	SignInURL string
}

// Fields are those above the password.
func (r Register) Fields() []TextField {
	focused := false
	emailHint := locales.Key("register.email_hint")
	if r.NoMail {
		emailHint = ""
	}
	fields := fill([]TextField{
		{
			Name: "username", Label: locales.Key("page.username"), Autocomplete: "username", MaxLength: 100, Required: true,
			Hint: locales.Key("register.username_hint"),
		},
		{
			Name: "email", Label: locales.Key("register.email"), Type: "email", Autocomplete: "email", MaxLength: 254,
			Required: true, Hint: emailHint,
		},
		{Name: "name", Label: locales.Key("register.name"), Autocomplete: "name", MaxLength: 200},
	}, r.Values, r.Failures, &focused)
	fields[0].Focus = fields[0].Focus || r.Failure == ""
	return fields
}

// PasswordFocus tells whether the password is the first thing to put right.
func (r Register) PasswordFocus() bool {
	for _, field := range r.Fields() {
		if field.Focus {
			return false
		}
	}
	return true
}

func (Register) Template() (Templates, string) { return templates, "register.html" }
