package pages

// NewKey lets a person register a passkey or a security key. It posts continue, then, name, state and response to
// Action.
type NewKey struct {
	App      *App // the app that waits, or nil
	Title    string
	Text     string
	Action   string
	Button   string
	Ceremony Ceremony
	Failure  string
	Continue string // opaque: where to go on, handed back unchanged
	Then     string // the page of ours to go on to where no app waits, or ""
	LaterURI string // where "Not now" leads
}

func (NewKey) Template() (Templates, string) { return templates, "newkey.html" }
