package pages

// Activity is where a person sees who signed in to their account, and who tried.
type Activity struct {
	Head     AccountHead
	Attempts []Attempt
}

// Attempt is one attempt to sign in, in words.
type Attempt struct {
	When, Result, IP, Device string
	Bad                      bool // it failed
}

func (Activity) Template() (Templates, string) { return templates, "activity.html" }
