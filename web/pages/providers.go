package pages

// Providers are whose word is taken besides a password of ours. Each button posts continue and then to /federation/ID.
type Providers struct {
	Buttons  []Provider
	Continue string // opaque: where to go on, handed back unchanged
	Then     string // the page of ours to go on to where no app waits; "" for the account
}

// Provider is one of them.
type Provider struct {
	ID   string
	Kind string // "google", "microsoft" and "github" have marks of their own
	Name string
	Last bool // it was used in this browser last
}

// Monogram stands for a provider that has no mark here.
func (p Provider) Monogram() string { return initial(p.Name) }
