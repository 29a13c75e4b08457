package pages

// DeviceRequest asks the person whether a device that has no browser is theirs and is to be signed in. It posts token,
// decision ("approve" or "deny"), and scope and claim as Consent does, to /device.
type DeviceRequest struct {
	App       App
	Host      string // of the app's own page, as a person would recognize it; or ""
	Person    Person
	Code      string // that the device shows
	When      string // when the device asked, in words
	IP        string // from where
	Browser   string // with what, where that says something; or ""
	Elsewhere bool   // from another network than the person is in
	Token     string // opaque, handed back unchanged
	Asked
}

func (DeviceRequest) Template() (Templates, string) { return templates, "devicerequest.html" }
