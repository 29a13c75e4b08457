package pages

// Security is where a person changes what they sign in with, the strongest first. It posts present and password to
// /account/password; id to /account/passkeys/remove, /account/hardware-keys/remove and /account/totps/remove; and
// nothing to /account/password/remove, /account/backup-codes and /account/factors/keep.
type Security struct {
	Head        AccountHead
	HasPassword bool
	Kinds       []FactorKind
	BackupCodes string // how many are left, in words; "" where the person has no use for any
	RemovedOn   string // when what is marked by a Warning is removed unless it is kept, in words; "": nothing is
	Notice      string
	Failure     string

	WrongPresent, WrongNew string // why the password was not changed: what is wrong with which
}

// FactorKind is one kind of factor, with those that the person has.
type FactorKind struct {
	ID      string // of its section
	Icon    string // see icon-part
	Title   string
	Text    string
	Factors []Factor
	AddURI  string
	Add     string // what the link to add one says
	Remove  string // where the id of one is posted

	Recommended bool // it is what the person should add next
}

// Factor is one passkey, security key or app.
type Factor struct {
	ID, Name, Detail string
	Warning          string // what its owner should know, or ""
}

// HasPasskey tells whether the person could do without a password.
func (s Security) HasPasskey() bool {
	for _, kind := range s.Kinds {
		if kind.ID == "passkeys" && len(kind.Factors) > 0 {
			return true
		}
	}
	return false
}

func (Security) Template() (Templates, string) { return templates, "security.html" }
