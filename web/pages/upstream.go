package pages

// Upstream stands between Wicket and a provider elsewhere: before a person who followed a link goes there, and where
// they came back without being signed in. It lets them go on another way.
type Upstream struct {
	App       *App // the app that waits for the sign-in, or nil
	Title     string
	Text      string
	Failed    bool
	Providers Providers
	OtherURI  string // where they sign in another way
	Reference string // to be read out to whoever runs this server, or ""
}

func (Upstream) Template() (Templates, string) { return templates, "upstream.html" }
