package pages

// NoAccess tells a person that they may not use an app, and whom to ask. It posts
// continue and choice ("back" or "other") to /no-access; with an empty Continue no
// app waits, for a device has asked.
type NoAccess struct {
	App       App
	Person    Person
	Contacts  []string // of those who run the app; may be empty
	Continue  string   // opaque, handed back unchanged
	Reference string   // to be read out to whoever runs this server
	OtherURI  string   // where somebody else signs in, where no app waits
}

func (NoAccess) Template() (Templates, string) { return templates, "noaccess.html" }
