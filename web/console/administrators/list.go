package administrators

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// List is the page of who holds administrative roles.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Administrators []administrator
	Roles          []roleChoice // that may be given
	Lone           bool         // there is one owner, and nobody to help them
	Username       string       // as it was typed
}

type administrator struct {
	UserID, ClientID string // one of the two
	Name, URI        string
	Role             string
	Granted, Ends    string
	Revocable        bool
}

type roleChoice struct {
	Name  string
	Words locales.Key
}

// words say what each administrative role is for.
var words = map[string]locales.Key{
	administrators.Owner:         locales.Key("console.role.owner"),
	administrators.Administrator: locales.Key("console.role.administrator"),
	administrators.UserManager:   locales.Key("console.role.user_manager"),
	administrators.AppManager:    locales.Key("console.role.app_manager"),
	administrators.Support:       locales.Key("console.role.support"),
	administrators.Auditor:       locales.Key("console.role.auditor"),
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows them, the mightiest first.
func (h List) Page(v *frame.Visit, by manage.Caller) error { return h.show(v, by, http.StatusOK, "") }

func (h List) show(v *frame.Visit, by manage.Caller, status int, failure string) error {
	held, err := h.Manage.List(v.Context(), by)
	if err != nil {
		return err
	}
	page := listPage{Screen: h.Screen(v, by, shell.Administrators), Username: v.Form.Get("username")}
	page.Failure = failure
	for _, role := range shell.GrantableRoles(by, nil) {
		page.Roles = append(page.Roles, roleChoice{role, words[role]})
	}
	people := make(map[uuid.UUID]bool)
	for _, a := range held {
		if a.APIKeyID != nil { // those have a page of their own
			continue
		}
		shown := administrator{
			Name: a.Name, Role: a.Role, Granted: frame.Ago(v, h.Now(), a.GrantedAt), Revocable: by.MayGrant(a.Role),
		}
		if a.UserID != nil {
			people[*a.UserID] = true
			shown.UserID, shown.URI = a.UserID.String(), shell.People+"/"+a.UserID.String()
		} else {
			shown.ClientID = a.ClientID
		}
		if a.EndsAt != nil {
			shown.Ends = v.Language.Moment(*a.EndsAt)
		}
		page.Administrators = append(page.Administrators, shown)
	}
	page.Lone = len(people) == 1
	return v.Show(status, page)
}

// Grant gives the person with a username or an address an administrative role, for good or for some days.
func (h List) Grant(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteAdmins); err != nil {
		return err
	}
	user, err := h.Identity.Users().Find(v.Context(), v.Form.Get("username"))
	if errors.Is(err, storage.ErrNotFound) {
		return h.show(v, by, unprocessable, v.Language.Text("console.groups.no_such_person"))
	} else if err != nil {
		return err
	}
	var ends *time.Time
	if days, ok := spans[v.Form.Get("for")]; ok {
		until := h.Now().Add(days)
		ends = &until
	}
	err = h.Manage.Grant(v.Context(), by, administrators.Person(user.ID), v.Form.Get("role"), ends)
	return h.changed(v, by, "admin-granted", err)
}

// spans are for how long a role can be given.
var spans = map[string]time.Duration{
	"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

// Revoke takes an administrative role back.
func (h List) Revoke(v *frame.Visit, by manage.Caller) error {
	var holder administrators.Holder
	if id, err := uuid.Parse(v.Form.Get("user")); err == nil {
		holder = administrators.Person(id)
	} else {
		holder = administrators.Client(v.Form.Get("client"))
	}
	err := h.Manage.Revoke(v.Context(), by, holder, v.Form.Get("role"))
	return h.changed(v, by, "admin-revoked", err)
}

// changed shows the page again after a change, or why there was none.
func (h List) changed(v *frame.Visit, by manage.Caller, done string, err error) error {
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, failure)
	} else if err != nil {
		return err
	}
	return shell.Done(v, shell.Administrators, done)
}
