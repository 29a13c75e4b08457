package pages

// Security is where a person changes their password and sees who tried to sign in. It posts present and password to
// /account/password.
type Security struct {
	Head        AccountHead
	HasPassword bool
	Attempts    []Attempt
	Notice      string
	Failure     string
}

// Attempt is one attempt to sign in, in words.
type Attempt struct {
	When, Result, IP, Device string
	Bad                      bool // it failed
}

func (Security) page() string { return "security.html" }
