package people

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Seen is the page that shows what a person sees, with nothing to press.
type Seen struct{ Person }

type seenPage struct {
	shell.Screen
	URI         string // of the person's page
	User        *people.User
	Shown       pages.Person
	States      []state
	Apps        []pages.App
	MoreApps    bool
	Connected   []connected
	Sessions    []session
	Emails      []people.Address
	Phones      []people.Address
	Factors     []factor
	HasPassword bool
	BackupCodes int
	Verdicts    []verdict
	More        bool
}

// connected is an app that may do something with the account, as the person reads it.
type connected struct {
	pages.App
	Scopes []pages.Scope
}

// verdict is whether they may use an app, in words.
type verdict struct {
	App, URI, PreviewURI string
	MayUse, Shown        bool
	Reason               string
}

// Template is that of the page.
func (seenPage) Template() (pages.Templates, string) { return templates, "seen.html" }

// Page shows it. That is in the audit trail each time.
func (h Seen) Page(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	user, err := h.People.User(v.Context(), by, id)
	if err != nil {
		return err
	}
	seen, err := h.Apps.SeenBy(v.Context(), by, id)
	if err != nil {
		return err
	}
	page := seenPage{
		Screen: h.Screen(v, by, shell.People), URI: address(id), User: user,
		Shown:  pages.Person{Username: user.Username, Name: user.Name, Email: user.Email},
		States: List{h.Console}.states(user), MoreApps: seen.MoreApps, HasPassword: user.HasPassword, More: seen.More,
	}
	for i := range seen.Apps {
		page.Apps = append(page.Apps, mark(frame.AppView(&seen.Apps[i])))
	}
	for i := range seen.Accesses {
		page.Connected = append(page.Connected, h.connected(v, &seen.Accesses[i]))
	}
	for i := range seen.Verdicts {
		page.Verdicts = append(page.Verdicts, h.verdict(v, user, &seen.Verdicts[i]))
	}
	theirs := &personPage{Screen: page.Screen, User: user}
	for _, read := range []func(*frame.Visit, manage.Caller, *personPage) error{h.addresses, h.factors, h.sessions} {
		if err := read(v, by, theirs); err != nil {
			return err
		}
	}
	page.Sessions, page.Emails, page.Phones = theirs.Sessions, theirs.Emails, theirs.Phones
	page.Factors, page.BackupCodes = theirs.Factors, theirs.BackupCodes
	return v.Show(http.StatusOK, page)
}

// mark is an app without its logo, which is elsewhere: who looks is nobody's business there.
func mark(app *pages.App) pages.App {
	shown := *app
	shown.LogoURI = ""
	return shown
}

func (h Seen) connected(v *frame.Visit, access *authorize.Access) connected {
	c := connected{App: mark(frame.AppView(access.Client))}
	for _, scope := range access.Scopes {
		c.Scopes = append(c.Scopes, frame.ScopeView(v.Language, scope))
	}
	return c
}

// verdictWords are the words for why somebody may use an app, or may not.
var verdictWords = map[string]locales.Key{
	apps.ForEveryone: locales.Key("console.seen.everyone"),
	apps.ForNobody:   locales.Key("console.seen.nobody"),
	apps.AppDisabled: locales.Key("console.seen.app_disabled"),
}

func (h Seen) verdict(v *frame.Visit, user *people.User, found *apps.Verdict) verdict {
	values := url.Values{"id": {found.Client.ID}}
	shown := verdict{
		App: found.Client.Name, URI: frame.WithParameters(shell.Apps+"/app", values),
		MayUse: found.MayUse && user.IsActive, Shown: found.Shown && user.IsActive,
	}
	values.Set("who", user.Username)
	shown.PreviewURI = frame.WithParameters(shell.Apps+"/app/preview", values)
	names := strings.Join(found.Groups, ", ")
	switch {
	case !user.IsActive:
		shown.Reason = v.Language.Text("console.seen.account_disabled")
	case found.Reason == apps.ByGroup:
		shown.Reason = v.Language.Text("console.seen.by_group", locales.Params{"Groups": names})
	case found.Reason == apps.InNoGroup:
		shown.Reason = v.Language.Text("console.seen.in_no_group", locales.Params{"Groups": names})
	default:
		shown.Reason = v.Language.Text(verdictWords[found.Reason])
	}
	return shown
}
