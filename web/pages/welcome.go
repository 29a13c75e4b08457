package pages

// Welcome is the front page: what this server is.
type Welcome struct {
	Issuer   string // the issuer identifier, an https address
	SignedIn bool
}

func (Welcome) Template() (Templates, string) { return templates, "welcome.html" }
