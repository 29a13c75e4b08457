package pages

// SignOut asks whether the person really wants to sign out, because an app (or
// a link) sent them here. It posts continue to /logout/confirm.
type SignOut struct {
	App      *App // the app that asked, or nil
	Person   Person
	Continue string // opaque, handed back unchanged
}

func (SignOut) Template() (Templates, string) { return templates, "signout.html" }
