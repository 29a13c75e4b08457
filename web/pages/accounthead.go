package pages

import "github.com/wicket-id/wicket/web/locales"

// AccountHead is what stands around every page of the account. Each posts nothing to /account/sign-out.
type AccountHead struct {
	Person  Person
	Mails   bool   // email can be sent: addresses can be verified
	Phones  bool   // text messages can be sent: phones can be verified
	Linked  bool   // there are providers elsewhere to sign in with
	Console bool   // the person administers this server
	Page    string // which page this is: the path of one of the tabs
}

// Tab leads to a page of the account.
type Tab struct {
	URI     string
	Icon    string // by which the part icon-part knows its sign
	Label   locales.Key
	Current bool
}

// Tabs are the pages of the account.
func (h AccountHead) Tabs() []Tab {
	tabs := []Tab{
		{URI: "/account", Icon: "home", Label: locales.Key("account.tab.overview")},
		{URI: "/account/profile", Icon: "person", Label: locales.Key("account.tab.profile")},
		{URI: "/account/emails", Icon: "mail", Label: locales.Key("account.tab.emails")},
	}
	if h.Phones {
		tabs = append(tabs, Tab{URI: "/account/phones", Icon: "phone", Label: locales.Key("account.tab.phones")})
	}
	tabs = append(tabs, Tab{URI: "/account/security", Icon: "shield", Label: locales.Key("account.tab.security")})
	if h.Linked {
		tabs = append(tabs, Tab{URI: "/account/linked", Icon: "link", Label: locales.Key("account.tab.linked")})
	}
	tabs = append(
		tabs,
		Tab{URI: "/account/devices", Icon: "devices", Label: locales.Key("account.tab.devices")},
		Tab{URI: "/account/activity", Icon: "clock", Label: locales.Key("account.tab.activity")},
		Tab{URI: "/account/apps", Icon: "plug", Label: locales.Key("account.tab.apps")},
		Tab{URI: "/apps", Icon: "grid", Label: locales.Key("account.tab.usable_apps")},
		Tab{URI: "/account/privacy", Icon: "file", Label: locales.Key("account.tab.privacy")},
	)
	if h.Console {
		tabs = append(tabs, Tab{URI: "/console", Icon: "tools", Label: locales.Key("account.tab.console")})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].URI == h.Page
	}
	return tabs
}
