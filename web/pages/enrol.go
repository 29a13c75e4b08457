package pages

// Enrol asks a person to register a second factor, because an app or whoever runs this service demands one. It posts
// continue to /enrol/decline.
type Enrol struct {
	App      *App
	KeyOnly  bool // nothing less than a passkey or a security key will do
	Continue string
	Then     string // the page of ours to go on to where no app waits, or ""
	BackURI  string // where they can go on without, or ""
}

func (Enrol) Template() (Templates, string) { return templates, "enrol.html" }
