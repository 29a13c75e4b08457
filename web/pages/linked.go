package pages

// Linked is where a person keeps the accounts of elsewhere that they sign in with. It posts provider to
// /account/linked/add, and id to /account/linked/remove.
type Linked struct {
	Head      AccountHead
	Accounts  []LinkedAccount
	Providers []Provider // of which the person has linked no account yet
	Again     []Provider // of which they have: another one can be linked
	Notice    string
	Failure   string
}

// LinkedAccount is one of them. Times are already in words.
type LinkedAccount struct {
	ID           string
	Provider     Provider
	Label        string // what it is called there
	Linked, Used string
	Off          bool // the provider lets nobody in just now
}

func (Linked) Template() (Templates, string) { return templates, "linked.html" }
