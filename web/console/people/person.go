package people

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/history"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Person is the page of one person.
type Person struct{ shell.Console }

type personPage struct {
	shell.Screen
	URI          string
	Seen         string // the entity tag of the person as the page shows them
	User         *people.User
	Shown        pages.Person
	States       []state
	Created      string
	LastSignIn   string
	Locked       bool
	Self         bool // it is who looks
	Emails       []people.Address
	Phones       []people.Address
	Factors      []factor
	HasPassword  bool
	BackupCodes  int
	Sessions     []session
	Grants       []grant
	Groups       []group
	OtherGroups  []group // that they can be put into
	Roles        []role
	AdminRoles   []string
	GrantedRoles []string // administrative ones that may be given to them
	Attempts     []history.Attempt
	Lines        []history.Line
}

type factor struct{ Kind, Name, Detail string }

type session struct {
	ID, Label, Detail string
	Own               bool // it is the one by which the page is looked at
}

type grant struct{ ID, App, Detail string }

type group struct{ Slug, Name string }

type role struct {
	Name, Group string // Group: by which they hold it, if it is not their own
}

// Template is that of the page.
func (personPage) Template() (pages.Templates, string) { return templates, "person.html" }

// Page shows a person.
func (h Person) Page(v *frame.Visit, by manage.Caller) error {
	id, err := personID(v)
	if err != nil {
		return err
	}
	return h.show(v, by, id, http.StatusOK, "")
}

func (h Person) show(v *frame.Visit, by manage.Caller, id uuid.UUID, status int, failure string) error {
	ctx := v.Context()
	user, err := h.People.User(ctx, by, id)
	if err != nil {
		return err
	}
	page := personPage{
		Screen: h.Screen(v, by, shell.People), URI: address(id), Seen: manage.ETag(user), User: user,
		Shown:  pages.Person{Username: user.Username, Name: user.Name, Email: user.Email},
		States: List(h).states(user), Created: v.Language.Moment(user.CreatedAt),
		Locked: user.LockedUntil != nil && user.LockedUntil.After(h.Now()), Self: id == v.Session.UserID,
		HasPassword: user.HasPassword,
	}
	page.Failure = failure
	if user.LastLoginAt != nil {
		page.LastSignIn = frame.Ago(v, h.Now(), *user.LastLoginAt)
	}
	for _, read := range []func(*frame.Visit, manage.Caller, *personPage) error{
		h.addresses, h.factors, h.sessions, h.grants, h.memberships, h.administers, h.happened,
	} {
		if err := read(v, by, &page); err != nil {
			return err
		}
	}
	return v.Show(status, page)
}

func (h Person) addresses(v *frame.Visit, by manage.Caller, page *personPage) (err error) {
	page.Emails, page.Phones, err = h.People.Addresses().List(v.Context(), by, page.User.ID)
	return err
}

func (h Person) factors(v *frame.Visit, by manage.Caller, page *personPage) error {
	held, err := h.People.FactorsOf(v.Context(), by, page.User.ID)
	if err != nil {
		return err
	}
	for _, f := range held.Factors {
		added := frame.Ago(v, h.Now(), f.CreatedAt)
		detail := v.Language.Text("console.people.factor_unused", locales.Params{"Added": added})
		if f.LastUsedAt != nil {
			detail = v.Language.Text("console.people.factor_used", locales.Params{
				"Added": added, "Used": frame.Ago(v, h.Now(), *f.LastUsedAt),
			})
		}
		page.Factors = append(page.Factors, factor{f.Kind, f.Name, detail})
	}
	page.BackupCodes = held.BackupCodesLeft
	return nil
}

func (h Person) sessions(v *frame.Visit, by manage.Caller, page *personPage) error {
	sessions, err := h.People.Sessions(v.Context(), by, page.User.ID)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, session{
			ID: s.ID.String(), Label: s.Device, Own: s.ID == v.Session.ID,
			Detail: v.Language.Text("console.people.session", locales.Params{
				"Seen": frame.Ago(v, h.Now(), s.LastSeenAt), "IP": s.LastSeenIP, "Methods": strings.Join(s.AMR, ", "),
			}),
		})
	}
	return nil
}

func (h Person) grants(v *frame.Visit, by manage.Caller, page *personPage) error {
	grants, err := h.Apps.GrantsOf(v.Context(), by, page.User.ID)
	if err != nil {
		return err
	}
	names := make(map[string]string)
	for _, g := range grants {
		name, ok := names[g.ClientID]
		if !ok {
			name = g.ClientID
			if client, err := h.Clients.ByID(v.Context(), g.ClientID); err == nil {
				name = client.Name
			}
			names[g.ClientID] = name
		}
		page.Grants = append(page.Grants, grant{
			ID: g.ID.String(), App: name, Detail: v.Language.Text("console.people.grant", locales.Params{
				"Scopes": strings.Join(g.Scopes, " "), "Device": g.Device, "Used": frame.Ago(v, h.Now(), g.LastUsedAt),
			}),
		})
	}
	return nil
}

// otherGroups are how many groups a person can be put into on their page; the others are on pages of their own.
const otherGroups = 200

func (h Person) memberships(v *frame.Visit, by manage.Caller, page *personPage) error {
	ctx := v.Context()
	if page.May(manage.ReadGroups) {
		mine, err := h.Groups.Of(ctx, by, page.User.ID)
		if err != nil {
			return err
		}
		in := make(map[string]bool, len(mine))
		for _, g := range mine {
			in[g.Slug] = true
			page.Groups = append(page.Groups, group{g.Slug, g.Name})
		}
		all, err := h.Groups.List(ctx, by, manage.Part{Limit: otherGroups})
		if err != nil {
			return err
		}
		for _, g := range all.Items {
			if !in[g.Slug] {
				page.OtherGroups = append(page.OtherGroups, group{g.Slug, g.Name})
			}
		}
	}
	roles, err := h.People.Roles(ctx, by, page.User.ID, false)
	for _, r := range roles {
		page.Roles = append(page.Roles, role{r.Role, r.Group})
	}
	return err
}

func (h Person) administers(v *frame.Visit, by manage.Caller, page *personPage) error {
	if !page.May(manage.ReadAdmins) {
		return nil
	}
	held, err := h.Manage.HeldBy(v.Context(), by, page.User.ID)
	if err != nil {
		return err
	}
	for _, a := range held {
		page.AdminRoles = append(page.AdminRoles, a.Role)
	}
	page.GrantedRoles = shell.GrantableRoles(by, page.AdminRoles)
	return nil
}

// happened reads what the person did and what was done to them lately.
func (h Person) happened(v *frame.Visit, by manage.Caller, page *personPage) error {
	if !page.May(manage.ReadAuditTrail) {
		return nil
	}
	part := manage.Part{Limit: 10}
	attempts, err := h.Activity.Attempts(v.Context(), by, activity.AttemptFilter{UserID: page.User.ID}, part)
	if err != nil {
		return err
	}
	page.Attempts = history.Attempts(v, h.Now(), attempts.Items, nil)
	lines, err := h.Activity.Entries(v.Context(), by, activity.EntryFilter{UserID: page.User.ID}, part)
	if err != nil {
		return err
	}
	names, err := h.People.Usernames(v.Context(), by, history.People(lines.Items, nil))
	page.Lines = history.Lines(v, h.Now(), lines.Items, names, false)
	return err
}
