package pages

// DeviceCode asks for the code that a device without a browser shows. It sends user_code to /device.
type DeviceCode struct {
	Code    string // as it was typed, or ""
	Failure string // what is wrong with it, or ""
}

func (DeviceCode) Template() (Templates, string) { return templates, "devicecode.html" }
