package pages

// Done says that something is done, and where to go on.
type Done struct {
	Title, Text        string
	NextURI, NextLabel string
}

func (Done) Template() (Templates, string) { return templates, "done.html" }
