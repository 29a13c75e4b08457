package pages

// Phones is where a person keeps their phone numbers. It posts number to /account/phones/add, id and code to
// /account/phones/verify, and id to /account/phones/resend, /account/phones/primary and /account/phones/remove.
type Phones struct {
	Head    AccountHead
	Phones  []PhoneItem // the last added one last
	Number  string      // what was typed as another number and refused, or ""
	Refused string      // why it was, or ""
	Notice  string
	Failure string
	Wrong   string // the id of the phone whose code was wrong, or ""
}

// PhoneItem is one number.
type PhoneItem struct {
	ID, Number        string
	Primary, Verified bool
}

// Awaited is the id of the phone whose code the person most likely has in hand: the last one that is not verified. Its
// field is #code.
func (p Phones) Awaited() string {
	id := ""
	for _, phone := range p.Phones {
		if !phone.Verified {
			id = phone.ID
		}
	}
	return id
}

func (Phones) Template() (Templates, string) { return templates, "phones.html" }
