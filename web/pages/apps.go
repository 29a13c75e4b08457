package pages

// Apps shows a person which apps may do something with their account. For each it leads to /account/apps/remove, with
// the parameter app.
type Apps struct {
	Head   AccountHead
	Apps   []ConnectedApp
	More   bool   // there are more than these
	Notice string // what has just been done, or ""
}

// ConnectedApp is one of them. Times are already in words.
type ConnectedApp struct {
	ID          string
	App         App
	Scopes      []Scope
	Claims      []Claim // besides what the scopes give
	APIs        []API
	Consented   bool   // the person was asked; otherwise the operator trusts the app
	OpenURI     string // begins a sign-in to the app; or ""
	Since, Used string
}

func (Apps) Template() (Templates, string) { return templates, "apps.html" }

// RemoveApp asks whether an app shall lose its access. It posts app to /account/apps/remove.
type RemoveApp ConnectedApp

func (RemoveApp) Template() (Templates, string) { return templates, "removeapp.html" }
