package pages

// Arrival asks a person who comes from a provider elsewhere and is nobody here yet whether they have an account. It posts
// username to /arrival/register, or nothing to /arrival/sign-in.
type Arrival struct {
	App         *App // the app that waits for the sign-in, or nil
	Provider    Provider
	Account     string // what they are called there
	MayRegister bool
	HasAccount  bool   // an account here has the same address, which is proved to be theirs
	Username    string // in the field
	Failure     string
	Wrong       string // what is wrong with the username
}

// Field is where they say what they would like to be called.
func (a Arrival) Field() TextField {
	return TextField{
		Name: "username", Label: "Username", Value: a.Username, Autocomplete: "username", MaxLength: 100, Required: true, Failure: a.Wrong, Focus: a.Wrong != "",
		Hint: "What you are called here. Apps may show it to other people.",
	}
}

func (Arrival) page() string { return "arrival.html" }

// LinkArrival asks a person who has signed in whether an account of elsewhere is theirs too. It posts continue and choice
// to /arrival/link.
type LinkArrival struct {
	Person   Person
	Provider Provider
	Account  string // what they are called there
	Continue string
}

func (LinkArrival) page() string { return "linkarrival.html" }
