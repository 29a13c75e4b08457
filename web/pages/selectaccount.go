package pages

// SelectAccount asks whether to go on as the person who is signed in here or as
// somebody else. It posts continue and choice ("continue" or "other") to
// /select-account.
type SelectAccount struct {
	App      *App // the app that asked, or nil
	Person   Person
	Continue string // opaque, handed back unchanged
}

func (SelectAccount) Template() (Templates, string) { return templates, "selectaccount.html" }
