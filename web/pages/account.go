package pages

import (
	"slices"

	"github.com/wicket-id/wicket/web/locales"
)

// Account is a person's own page: who they are and where they are signed in. It
// posts id to /account/devices/end, and nothing to /account/devices/end-others,
// /account/sign-out and /account/sign-out-everywhere.
type Account struct {
	Head    AccountHead
	Devices []Device
	Notice  string // what has just been done, or ""
	Failure string // what could not be done, or ""
}

// AccountHead stands at the top of every page of the account.
type AccountHead struct {
	Person     Person
	LastSignIn string // when and from where before this time, in words, or ""
	Mails      bool   // email can be sent: addresses can be verified
	Phones     bool   // text messages can be sent: phones can be verified
	Linked     bool   // there are providers elsewhere to sign in with
	Console    bool   // the person administers this server
	Page       string // which page this is: the path of one of the tabs
}

// Tab leads to a page of the account.
type Tab struct {
	URI     string
	Label   locales.Key
	Current bool
}

// Tabs are the pages of the account.
func (h AccountHead) Tabs() []Tab {
	tabs := []Tab{
		{URI: "/account", Label: locales.Key("account.tab.devices")},
		{URI: "/apps", Label: locales.Key("account.tab.usable_apps")},
		{URI: "/account/apps", Label: locales.Key("account.tab.apps")},
		{URI: "/account/profile", Label: locales.Key("account.tab.profile")},
		{URI: "/account/emails", Label: locales.Key("account.tab.emails")},
	}
	if h.Phones {
		tabs = append(tabs, Tab{URI: "/account/phones", Label: locales.Key("account.tab.phones")})
	}
	if h.Linked {
		tabs = append(tabs, Tab{URI: "/account/linked", Label: locales.Key("account.tab.linked")})
	}
	tabs = append(
		tabs,
		Tab{URI: "/account/security", Label: locales.Key("account.tab.security")},
		Tab{URI: "/account/privacy", Label: locales.Key("account.tab.privacy")},
	)
	if h.Console {
		tabs = append(tabs, Tab{URI: "/console", Label: locales.Key("account.tab.console")})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].URI == h.Page
	}
	return tabs
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
func (a Account) Listed() []Device {
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

func (Account) Template() (Templates, string) { return templates, "account.html" }
