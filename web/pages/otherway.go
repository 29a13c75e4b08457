package pages

// OtherWay is what signs a person in without their password, and which they keep or remove: a passkey, or an account at
// a provider.
type OtherWay struct {
	ID       string
	Provider string // what it is called; "" for a passkey
	Name     string
	Added    string // when, in words
	Ticked   bool
}
