package pages

// Kept asks a person whose account was to be deleted, and who has kept it by signing in, whether they want that. It
// posts continue and then to /account/kept, or sure to /account/erase.
type Kept struct {
	App      *App   // the app that waits, or nil
	Date     string // when the account was to be deleted, in words
	Continue string // opaque: where to go on, handed back unchanged
	Then     string // the page of ours to go on to where no app waits
}

func (Kept) Template() (Templates, string) { return templates, "kept.html" }
