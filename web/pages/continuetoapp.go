package pages

// ContinueToApp asks a person whether it is they who want to go on to an app. It posts continue and decision
// ("continue" or "deny") to /continue.
type ContinueToApp struct {
	App          App
	Person       Person
	RedirectHost string // where the answer goes, as a person would recognize it
	Continue     string // opaque, handed back unchanged
}

func (ContinueToApp) Template() (Templates, string) { return templates, "continuetoapp.html" }
