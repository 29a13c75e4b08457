package pages

// SecondStep asks for a second factor. It posts continue, code or state and response, and trust, to /second-step.
type SecondStep struct {
	App         *App // the app that waits, or nil
	Ceremony    *Ceremony
	Code        bool // an app makes codes
	BackupCodes bool // there are some left
	Trust       bool // this browser may be trusted
	Failure     string
	Continue    string // opaque: where to go on, handed back unchanged
	Then        string // the page of ours to go on to where no app waits
	Class       string // what is to be reached, handed back unchanged
	BackURI     string // where to begin anew
}

// Typed tells whether there is something to type.
func (s SecondStep) Typed() bool { return s.Code || s.BackupCodes }

func (SecondStep) Template() (Templates, string) { return templates, "secondstep.html" }
