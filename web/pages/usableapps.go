package pages

// UsableApps shows a person the apps that they may use, each with the way in.
type UsableApps struct {
	Head AccountHead
	Apps []UsableApp
	More bool // there are more than these
}

// UsableApp is one of them.
type UsableApp struct {
	App  App
	URI  string // where it opens
	Host string // of that, as a person would recognize it
}

func (UsableApps) Template() (Templates, string) { return templates, "usableapps.html" }
