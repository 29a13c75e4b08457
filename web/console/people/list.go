package people

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// List is the page of all people.
type List struct{ shell.Console }

type listPage struct {
	shell.Screen
	Query, Status string
	Statuses      []choice
	People        []row
	Newest, Older string
	Invitations   int // that are open
}

type choice struct {
	Value  string
	Label  locales.Key
	Chosen bool
}

// row is a person in the list.
type row struct {
	pages.Person
	URI         string
	States      []state
	TwoFactor   bool
	LastSignIn  string
	Groups      string // the names of the first
	OtherGroups int64  // how many more there are
}

// state is something about an account that is worth a word.
type state struct {
	Label locales.Key
	Bad   bool
}

// Template is that of the page.
func (listPage) Template() (pages.Templates, string) { return templates, "list.html" }

// Page shows people, the newest first, or those who are looked for.
func (h List) Page(v *frame.Visit, by manage.Caller) error {
	filter := people.Filter{Query: v.Form.Get("q"), Status: v.Form.Get("status")}
	found, err := h.People.List(v.Context(), by, filter, manage.Part{Cursor: v.Form.Get("cursor"), Limit: 50})
	if known := v.Language.Refusal(err); known != "" { // the address was written by hand, or is old
		return v.RedirectWith(shell.People, url.Values{"q": {filter.Query}})
	} else if err != nil {
		return err
	}
	page := listPage{
		Screen: h.Screen(v, by, shell.People), Query: filter.Query, Status: filter.Status,
		Statuses: statuses(filter.Status), Newest: shell.Newest(v), Older: shell.Older(v, found.Next),
	}
	for i := range found.Items {
		page.People = append(page.People, h.row(v, &found.Items[i]))
	}
	if err := h.groups(v, by, found.Items, &page); err != nil {
		return err
	}
	if page.Newest == "" {
		open, err := h.People.Invitations(v.Context(), by)
		if err != nil {
			return err
		}
		page.Invitations = len(open)
	}
	return v.Show(http.StatusOK, page)
}

func (h List) row(v *frame.Visit, user *people.User) row {
	r := row{
		Person: pages.Person{Username: user.Username, Name: user.Name, Email: user.Email}, URI: address(user.ID),
		TwoFactor: user.TwoFactor, States: h.states(user),
	}
	if user.LastLoginAt != nil {
		r.LastSignIn = frame.Ago(v, h.Now(), *user.LastLoginAt)
	}
	return r
}

// namedGroups are how many groups of a person are named in the list.
const namedGroups = 2

func (h List) groups(v *frame.Visit, by manage.Caller, found []people.User, page *listPage) error {
	if !page.May(manage.ReadGroups) {
		return nil
	}
	ids := make([]uuid.UUID, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	held, err := h.Groups.OfEach(v.Context(), by, ids, namedGroups)
	if err != nil {
		return err
	}
	for i, id := range ids {
		some := held[id]
		page.People[i].Groups = strings.Join(some.Names, ", ")
		page.People[i].OtherGroups = some.Count - int64(len(some.Names))
	}
	return nil
}

// states is what there is to know of an account at once.
func (h List) states(user *people.User) (states []state) {
	if !user.IsActive {
		states = append(states, state{locales.Key("console.people.status.disabled"), true})
	}
	if user.LockedUntil != nil && user.LockedUntil.After(h.Now()) {
		states = append(states, state{locales.Key("console.people.status.locked"), true})
	}
	if user.EraseAt != nil {
		states = append(states, state{locales.Key("console.people.status.erasing"), true})
	}
	return states
}

func statuses(chosen string) []choice {
	all := []choice{
		{Value: "", Label: locales.Key("console.people.status.all")},
		{Value: people.StatusActive, Label: locales.Key("console.people.status.active")},
		{Value: people.StatusDisabled, Label: locales.Key("console.people.status.disabled")},
		{Value: people.StatusLocked, Label: locales.Key("console.people.status.locked")},
		{Value: people.StatusErasing, Label: locales.Key("console.people.status.erasing")},
	}
	for i := range all {
		all[i].Chosen = all[i].Value == chosen
	}
	return all
}
