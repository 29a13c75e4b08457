package pages

// Consent asks the person whether an app may have what it asked for. It posts
// continue, decision ("allow" or "deny"), and scope and claim, once for every scope
// and claim that is still ticked, to /consent. Required scopes are not posted: they come with
// "allow".
type Consent struct {
	App          App
	RedirectHost string // where the answer goes, as a person would recognize it
	Person       Person
	Asked
	Stranger  bool   // nobody vouches for the app: anybody may register one
	Publisher string // the host whose document describes it; or ""
	Continue  string // opaque, handed back unchanged
}

// Asked is what an app asks for. The person may leave out each part that is not required, unless all of it is settled.
type Asked struct {
	Scopes  []Scope
	Claims  []Claim // besides what the scopes give
	APIs    []API
	Settled bool // the operator has said yes in their place
}

// API is something else that an app asks for access to, with what it may do there.
type API struct {
	Name   string
	Host   string // where it is, as a person would recognize it; or ""
	Scopes []Scope
}

// Scope is one thing that an app asks for.
type Scope struct {
	Name     string // as in the protocol: "email"
	Title    string // as a person says it: "See your email address"
	Detail   string // a sentence on what that means, or ""
	Required bool   // cannot be left out
}

// Claim is one thing about a person that an app asks for by its name.
type Claim struct {
	Name  string // as in the protocol: "birthdate"
	Title string // as a person says it: "See your date of birth"
}

func (Consent) Template() (Templates, string) { return templates, "consent.html" }
