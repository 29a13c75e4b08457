package pages

import "slices"

// Devices is where a person is signed in. It posts id to /account/devices/end, and nothing to
// /account/devices/end-others and /account/sign-out-everywhere.
type Devices struct {
	Head    AccountHead
	Devices []Device
	Notice  string // what has just been done, or ""
	Failure string // what could not be done, or ""
}

// Device is one browser or app in which the person is signed in. Times are
// already in words: "2 minutes ago".
type Device struct {
	ID       string
	Label    string // "Firefox on Linux"
	IP       string
	SignedIn string
	LastSeen string
	Current  bool // the one that this page is shown on
	Mobile   bool
	Apps     []App // signed in through this device
}

// Listed is Devices with the current one first, otherwise as they were given.
func (a Devices) Listed() []Device {
	devices := slices.Clone(a.Devices)
	slices.SortStableFunc(devices, func(x, y Device) int {
		switch {
		case x.Current && !y.Current:
			return -1
		case y.Current && !x.Current:
			return 1
		}
		return 0
	})
	return devices
}

func (Devices) Template() (Templates, string) { return templates, "devices.html" }
