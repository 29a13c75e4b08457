package administrators

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Keys is the page of the keys of the management API.
type Keys struct{ shell.Console }

type keysPage struct {
	shell.Screen
	Keys           []key
	Roles          []roleChoice // that may be given
	Name, Networks string       // as they were typed
	API            string       // where it is
}

type key struct {
	ID, Name, Hint, Role string
	Networks             string
	Permissions          int // 0: all of its role
	Ends, Used           string
	Stopped              bool // it works no more
}

// Template is that of the page.
func (keysPage) Template() (pages.Templates, string) { return templates, "keys.html" }

// Page shows them.
func (h Keys) Page(v *frame.Visit, by manage.Caller) error { return h.show(v, by, http.StatusOK, "") }

func (h Keys) show(v *frame.Visit, by manage.Caller, status int, failure string) error {
	found, err := h.Manage.Keys(v.Context(), by)
	if err != nil {
		return err
	}
	page := keysPage{
		Screen: h.Screen(v, by, shell.Administrators), Name: v.Form.Get("name"), Networks: v.Form.Get("networks"),
		API: manage.APIOf(h.Provider.Issuer) + "/v1",
	}
	page.Failure = failure
	if page.May(manage.WriteAPIKeys) {
		for _, role := range shell.GrantableRoles(by, nil) {
			page.Roles = append(page.Roles, roleChoice{role, words[role]})
		}
	}
	for _, k := range found {
		shown := key{
			ID: k.ID.String(), Name: k.Name, Hint: k.Hint, Role: k.Role, Networks: strings.Join(k.Networks, ", "),
			Permissions: len(k.Permissions), Ends: v.Language.Date(k.ExpiresAt), Stopped: !k.Works,
		}
		if k.LastUsedAt != nil {
			shown.Used = frame.Ago(v, h.Now(), *k.LastUsedAt)
		}
		page.Keys = append(page.Keys, shown)
	}
	return v.Show(status, page)
}

// Create makes a key and shows it.
func (h Keys) Create(v *frame.Visit, by manage.Caller) error {
	days, err := strconv.Atoi(v.Form.Get("days"))
	if err != nil || days < 1 || days > 730 {
		return frame.ErrForm
	}
	made, err := h.Manage.CreateKey(v.Context(), by, manage.NewAPIKey{
		Name: v.Form.Get("name"), Role: v.Form.Get("role"), ExpiresAt: h.Now().Add(time.Duration(days) * 24 * time.Hour),
		Networks: strings.FieldsFunc(v.Form.Get("networks"), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' }),
	})
	if failure := v.Language.Refusal(err); failure != "" {
		return h.show(v, by, unprocessable, failure)
	} else if err != nil {
		return err
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.Administrators), Title: v.Language.Text("console.keys.made"),
		Text: v.Language.Text("console.keys.made_text"), Label: v.Language.Text("console.keys.key"), Secret: made.Key,
		Back: shell.Administrators + "/keys",
	})
}

// Revoke ends a key.
func (h Keys) Revoke(v *frame.Visit, by manage.Caller) error {
	id, err := uuid.Parse(v.Form.Get("key"))
	if err != nil {
		return frame.ErrForm
	}
	if err := h.Manage.RevokeKey(v.Context(), by, id); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	return shell.Done(v, shell.Administrators+"/keys", "api-key-revoked")
}
