package shell

import (
	"net/url"
	"slices"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Screen is what stands around a page of the console. Every view begins with one.
type Screen struct {
	Person  pages.Person
	Links   []Link
	Notice  string // what has just been done, or ""
	Failure string // what could not be done, or ""

	may []manage.Permission
}

// Link leads to a part of the console.
type Link struct {
	URI, Icon string
	Label     locales.Key
	Current   bool
}

// The parts of the console, by their addresses.
const (
	Overview       = Path
	Search         = Path + "/search"
	People         = Path + "/people"
	Groups         = Path + "/groups"
	Apps           = Path + "/apps"
	SignIn         = Path + "/sign-in"
	Activity       = Path + "/activity"
	Integrations   = Path + "/integrations"
	Administrators = Path + "/administrators"
	Server         = Path + "/server"
)

// parts are the parts of the console, each with what it takes to see it.
var parts = []struct {
	Link
	permission manage.Permission
}{
	{Link{URI: Overview, Icon: "overview", Label: locales.Key("console.overview.title")}, ""},
	{Link{URI: People, Icon: "people", Label: locales.Key("console.people.title")}, manage.ReadUsers},
	{Link{URI: Groups, Icon: "groups", Label: locales.Key("console.groups.title")}, manage.ReadGroups},
	{Link{URI: Apps, Icon: "apps", Label: locales.Key("console.apps.title")}, manage.ReadClients},
	{Link{URI: SignIn, Icon: "sign-in", Label: locales.Key("console.providers.title")}, manage.ReadProviders},
	{Link{URI: Activity, Icon: "activity", Label: locales.Key("console.activity.title")}, manage.ReadAuditTrail},
	{
		Link{URI: Integrations, Icon: "integrations", Label: locales.Key("console.integrations.title")}, manage.ReadWebhooks,
	},
	{
		Link{URI: Administrators, Icon: "administrators", Label: locales.Key("console.administrators.title")}, manage.ReadAdmins,
	},
	{Link{URI: Server, Icon: "server", Label: locales.Key("console.server.title")}, manage.ReadKeys},
}

// Screen is what stands around a page of that part of the console, for somebody who may see it.
func (c Console) Screen(v *frame.Visit, by manage.Caller, part string) Screen {
	screen := c.screen(v)
	screen.may = by.Permissions()
	for _, p := range parts {
		if p.permission == "" || screen.May(p.permission) {
			p.Current = p.URI == part
			screen.Links = append(screen.Links, p.Link)
		}
	}
	screen.Notice = notice(v)
	return screen
}

func (c Console) screen(v *frame.Visit) Screen {
	return Screen{Person: pages.Person{Username: v.Session.User.Username}}
}

// May tells whether who looks may do something: what they may not is not offered.
func (s Screen) May(permission manage.Permission) bool { return slices.Contains(s.may, permission) }

// Done leads back to a page of the console, which says what was done: see notices.
func Done(v *frame.Visit, page, done string, parameters ...string) error {
	values := url.Values{"done": {done}}
	for i := 0; i+1 < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return v.RedirectWith(page, values)
}

// Older is where a list goes on, or "" where it does not: the page that was asked for, with another cursor.
func Older(v *frame.Visit, cursor string) string {
	if cursor == "" {
		return ""
	}
	asked := v.Gin.Request.URL
	values := asked.Query()
	values.Del("done")
	values.Set("cursor", cursor)
	return asked.Path + "?" + values.Encode()
}

// Newest is where a list begins, or "" where this is its beginning.
func Newest(v *frame.Visit) string {
	asked := v.Gin.Request.URL
	values := asked.Query()
	if values.Get("cursor") == "" {
		return ""
	}
	values.Del("cursor")
	return frame.WithParameters(asked.Path, values)
}
