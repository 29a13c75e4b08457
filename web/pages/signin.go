package pages

import "slices"

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
	LastWay       string // ByPassword, ByPasskey, the id of a provider, or ""
}

// The ways to sign in that are no provider's.
const (
	ByPassword = "password"
	ByPasskey  = "passkey"
)

// PasskeyFirst tells whether the passkey is what the page is for: it was used here last, or there is no password.
func (s SignIn) PasskeyFirst() bool {
	return s.Ceremony != nil && (s.NoPassword || s.LastWay == ByPasskey)
}

// Buttons are those of the providers, the one that was used last first.
func (s SignIn) Buttons() Providers {
	sorted := s.Providers
	sorted.Buttons = slices.Clone(s.Providers.Buttons)
	for i := range sorted.Buttons {
		sorted.Buttons[i].Last = sorted.Buttons[i].ID == s.LastWay
	}
	slices.SortStableFunc(sorted.Buttons, func(a, b Provider) int {
		switch {
		case a.Last && !b.Last:
			return -1
		case b.Last && !a.Last:
			return 1
		}
		return 0
	})
	return sorted
}

// Several tells whether there is more than one way, so that the last one is worth a mark.
func (s SignIn) Several() bool { return s.Ceremony != nil || len(s.Providers.Buttons) > 0 }

func (SignIn) Template() (Templates, string) { return templates, "signin.html" }
