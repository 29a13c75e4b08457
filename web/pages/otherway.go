package pages

// OtherWay is what else signs a person in, and which they keep or remove: a passkey, an account at a provider, ...
type OtherWay struct {
	Key    string
	Kind   string // in words; of an account at a provider, what that is called
	Name   string // what its owner calls it, or ""
	Added  string // when, in words, or ""
	Ticked bool
}
