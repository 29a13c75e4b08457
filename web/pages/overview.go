package pages

import "github.com/wicket-id/wicket/web/locales"

// Overview is the first page of the account: what needs the person's attention, and where everything is.
type Overview struct {
	Head       AccountHead
	LastSignIn string // when and from where before this time, in words, or ""
	Tasks      []Task // the most pressing first
	Tiles      []Tile
	Notice     string // what has just been done, or ""
}

// Task is something that a person should do.
type Task struct {
	Icon        string // see icon-part
	Title, Text string
	URI         string // where it is done
	Action      locales.Key
	Urgent      bool // somebody else may be in the account, or the way back in is missing
}

// Tile leads to a part of the account and says how it stands there.
type Tile struct {
	URI, Icon string
	Label     locales.Key
	Detail    string
}

func (Overview) Template() (Templates, string) { return templates, "overview.html" }
