package pages

// Confirm asks a person who came by a link whether to do what it is for: programs that look into mail follow links, but
// press no buttons. It posts token to Action.
type Confirm struct {
	Title, Text   string
	Action, Token string
	Button        string
	Danger        bool
}

func (Confirm) Template() (Templates, string) { return templates, "confirm.html" }
