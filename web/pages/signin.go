package pages

// SignIn asks for a username and a password, or a passkey. It posts continue, then, username, password and able to
// /sign-in, or continue, then, state and response to /sign-in/passkey.
type SignIn struct {
	App           *App   // the app that waits for the sign-in, or nil
	Username      string // written into the field beforehand
	UsernameFixed bool   // the same person signs in again: the username cannot be changed
	NoPassword    bool   // and has no password to be asked for
	Phones        bool   // a phone number will do too
	Failure       string // why the last try failed, or ""
	Continue      string // opaque: where to go on, handed back unchanged
	SwitchURL     string // where "Use another account" leads; shown when UsernameFixed
	Then          string // the page of ours to go on to where no app waits; "" for the account
	Ceremony      *Ceremony
	RegisterURL   string // where people make an account; "" where they cannot
	Providers     Providers
}

func (SignIn) Template() (Templates, string) { return templates, "signin.html" }
