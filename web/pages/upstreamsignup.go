package pages

import "github.com/wicket-id/wicket/web/locales"

// UpstreamSignUp asks a person whose account at a provider is not linked to an account here whether they have one. It
// posts username to /arrival/register, or nothing to /arrival/sign-in.
type UpstreamSignUp struct {
	App         *App // the app that waits for the sign-in, or nil
	Provider    Provider
	Account     string // what they are called there
	MayRegister bool
	HasAccount  bool   // an account here has the same address, which is proved to be theirs
	Username    string // in the field
	Failure     string
	Wrong       string // what is wrong with the username
}

// Field is where they say what they would like to be called.
func (u UpstreamSignUp) Field() TextField {
	return TextField{
		Name: "username", Label: locales.Key("page.username"), Value: u.Username, Autocomplete: "username",
		MaxLength: 100, Required: true, Failure: u.Wrong, Focus: u.Wrong != "",
		Hint: locales.Key("upstream_signup.username_hint"),
	}
}

func (UpstreamSignUp) Template() (Templates, string) { return templates, "upstreamsignup.html" }

// LinkUpstream asks a person who has signed in whether an account at a provider is theirs too. It posts continue and
// choice to /arrival/link.
type LinkUpstream struct {
	Person   Person
	Provider Provider
	Account  string // what they are called there
	Continue string
}

func (LinkUpstream) Template() (Templates, string) { return templates, "linkupstream.html" }
