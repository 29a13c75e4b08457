package pages

// Failure tells a person that something went wrong, and what to do now.
type Failure struct {
	Status      int    // the HTTP status, for the small print
	Title       string // what happened, in a few words
	Explanation string // what happened, in a sentence or two
	Advice      string // what to do now
	Details     string // what those who develop the app should know, or ""
	Reference   string // to be read out to whoever runs this server
	RetryURI    string // where to try again, or ""; the start page is offered in any case
}

func (Failure) Template() (Templates, string) { return templates, "failure.html" }
