package management

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/clients"
)

// everybody and its like are who may call an operation: o owner, a administrator, u user-manager, p app-manager,
// s support, r auditor.
const (
	everybody = "oaupsr"
	readers   = "oar"
	people    = "oau"
	recovery  = "oaus"
	appsOwn   = "oap"
	top       = "oa"
)

// may says who may call each operation. An operation that is missing here is new: say who may call it.
var may = map[string]string{
	"get-me": everybody,

	"list-users": everybody, "get-user": everybody, "list-user-sessions": everybody, "list-user-factors": everybody,
	"list-user-addresses": everybody, "add-user-email": people, "remove-user-email": recovery,
	"make-user-email-primary": recovery, "list-user-grants": everybody, "list-user-roles": everybody,
	"create-user": people, "update-user": people, "grant-user-role": people, "revoke-user-role": people,
	"delete-user":      top,
	"end-user-session": recovery, "end-user-grant": recovery, "unlock-user": recovery, "reset-factors-user": recovery,
	"sign-out-everywhere-user": recovery, "set-user-password": recovery, "make-user-reset-link": recovery,

	"list-groups": everybody, "get-group": everybody, "list-group-members": everybody,
	"put-group": people, "delete-group": people, "add-group-member": people, "remove-group-member": people,
	"grant-group-role": people, "revoke-group-role": people,

	"list-invitations": everybody, "create-invitation": people, "revoke-invitation": people,

	"list-clients": everybody, "get-client": everybody, "preview-client": everybody, "list-apis": everybody, "get-api": everybody,
	"put-client": appsOwn, "delete-client": appsOwn, "put-api": appsOwn, "delete-api": appsOwn,
	"create-client-secret": appsOwn,

	"list-providers": everybody, "get-provider": everybody, "put-provider": "o", "delete-provider": "o",
	"list-refusals": everybody, "get-refusal": everybody, "mend-refusal": appsOwn,

	"list-administrators":            readers,
	"grant-user-administrative-role": top, "grant-client-administrative-role": top,
	"revoke-user-administrative-role": top, "revoke-client-administrative-role": top,
	"list-api-keys": readers, "create-api-key": top, "revoke-api-key": top,

	"list-keys": readers, "rotate-keys": "o",
	"list-audit-entries": "oausr", "list-login-attempts": "oausr", "list-events": "oausr",

	"list-webhooks": readers, "get-webhook": readers, "list-webhook-deliveries": readers,
	"put-webhook": top, "delete-webhook": top, "create-webhook-secret": top, "test-webhook": top, "resend-webhook": top,
	"resend-webhook-delivery": top,

	"export-configuration": readers,
	"plan-configuration":   "o", "apply-configuration": "o", "detach-configuration": "o",
}

// letters are the roles as may writes them.
var letters = map[string]string{
	administrators.Owner: "o", administrators.Administrator: "a", administrators.UserManager: "u",
	administrators.AppManager: "p", administrators.Support: "s", administrators.Auditor: "r",
}

// described is an operation as the API's own description has it.
type described struct{ id, method, path string }

// operations reads the API's own description.
func operations(t *testing.T, c caller) (all []described) {
	t.Helper()
	description := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/openapi.json", nil)
	for path, methods := range description.JSON["paths"].(map[string]any) {
		for method, operation := range methods.(map[string]any) {
			id := operation.(map[string]any)["operationId"].(string)
			all = append(all, described{id, strings.ToUpper(method), "/api/v1" + path})
		}
	}
	slices.SortFunc(all, func(a, b described) int { return strings.Compare(a.id, b.id) })
	return all
}

func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		nobody := caller{Server: h}
		all := operations(t, nobody)
		known := slices.Sorted(maps.Keys(may))
		for _, op := range all {
			if !slices.Contains(known, op.id) {
				t.Errorf("nothing says who may call %s", op.id)
			}
		}
		if len(all) != len(known) {
			t.Errorf("%d operations are described, and %d are known here", len(all), len(known))
		}
		path := strings.NewReplacer(
			"{id}", uuid.NewString(), "{session}", uuid.NewString(), "{grant}", uuid.NewString(),
			"{role}", administrators.Auditor, "{slug}", "none", "{user}", uuid.NewString(), "{identifier}", "urn%3Anone", "{provider}", "none", "{email}", uuid.NewString(),
			"{delivery}", uuid.NewString(),
			"{reference}", "NONE",
		)
		callers := map[string]caller{}
		for _, role := range administrators.Names {
			callers[role] = keyFor(t, h, role)
		}
		for _, op := range all {
			to := path.Replace(op.path)
			if op.id == "preview-client" {
				to += "?user=" + uuid.NewString()
			}
			if got := nobody.call(t, op.method, to, nil); got.Status != http.StatusUnauthorized ||
				got.code() != "token.missing" {
				t.Errorf("%s by nobody: %d %s", op.id, got.Status, got.Text)
			}
			for role, by := range callers {
				// Whoever may is told that the body is wrong, or that there is no such thing.
				got := by.call(t, op.method, to, "[]")
				refused := got.Status == http.StatusForbidden || got.Status == http.StatusUnauthorized
				if allowed := strings.Contains(may[op.id], letters[role]); allowed == refused {
					t.Errorf("%s by %s: %d %s", op.id, role, got.Status, got.Text)
				}
			}
		}
	})
}

func TestKeyDoesWhatItWasMadeFor(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		narrow := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) {
			k.Permissions = []manage.Permission{manage.ReadUsers}
		})
		narrow.must(t, http.StatusOK, http.MethodGet, "/api/v1/users", nil)
		got := narrow.must(t, http.StatusForbidden, http.MethodGet, "/api/v1/clients", nil)
		if got.code() != "forbidden.scope" {
			t.Error(got.Text)
		}
		elsewhere := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) { k.Networks = []string{"192.0.2.0/24"} })
		here := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) {
			k.Networks = []string{"192.0.2.7", "127.0.0.0/8", "::1"}
		})
		elsewhere.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
		here.must(t, http.StatusOK, http.MethodGet, "/api/v1/me", nil)

		owner := keyFor(t, h, administrators.Owner)
		made := owner.must(t, http.StatusCreated, http.MethodPost, "/api/v1/api-keys", map[string]any{
			"name": "ci", "role": "support", "expires_at": h.Manage.Now().Add(time.Minute),
		})
		by := caller{h, made.JSON["key"].(string)}
		me := by.must(t, http.StatusOK, http.MethodGet, "/api/v1/me", nil)
		if me.JSON["name"] != "api-key:"+made.JSON["id"].(string) {
			t.Error(me.Text)
		}
		if listed := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/api-keys", nil); strings.Contains(
			listed.Text,
			by.token,
		) ||
			!strings.Contains(listed.Text, by.token[len(by.token)-4:]) {
			t.Errorf("listed as %s", listed.Text)
		}
		owner.must(t, http.StatusNoContent, http.MethodDelete, "/api/v1/api-keys/"+made.JSON["id"].(string), nil)
		by.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
		for what, token := range map[string]string{
			"no key": "wkt_x", "another checksum": by.token[:len(by.token)-1] + "x", "a session's secret": "abc",
		} {
			if got := (caller{h, token}).call(t, http.MethodGet, "/api/v1/me", nil); got.Status != http.StatusUnauthorized {
				t.Errorf("%s: %d", what, got.Status)
			}
		}
	})
}

func TestNobodyReachesSomebodyMightier(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		alice := "/api/v1/users/" + h.User.ID.String()
		owner.must(
			t,
			http.StatusNoContent,
			http.MethodPut,
			"/api/v1/administrators/users/"+h.User.ID.String()+"/owner",
			map[string]any{},
		)
		again := owner.must(
			t,
			http.StatusConflict,
			http.MethodPut,
			"/api/v1/administrators/users/"+h.User.ID.String()+"/owner",
			map[string]any{},
		)
		if again.code() != "admin_role.held" {
			t.Error(again.Text)
		}
		for _, role := range []string{administrators.Administrator, administrators.UserManager, administrators.Support} {
			by := keyFor(t, h, role)
			for _, try := range []struct {
				method, path string
				body         any
			}{
				{http.MethodPost, alice + "/actions/reset-factors", nil},
				{http.MethodPost, alice + "/actions/set-password", map[string]any{"password": "another long one"}},
				{http.MethodPost, alice + "/actions/reset-link", nil},
				{http.MethodPatch, alice, map[string]any{"is_active": false}},
				{http.MethodPut, alice + "/roles/x", nil},
				{http.MethodDelete, alice, nil},
				{http.MethodPut, "/api/v1/administrators/users/" + h.User.ID.String() + "/administrator", map[string]any{}},
				{http.MethodDelete, "/api/v1/administrators/users/" + h.User.ID.String() + "/owner", nil},
				{http.MethodPost, "/api/v1/api-keys", map[string]any{
					"name": "mine", "role": "owner", "expires_at": h.Manage.Now().Add(time.Minute),
				}},
				{http.MethodPost, "/api/v1/invitations", map[string]any{"administrative_role": "owner"}},
			} {
				if got := by.call(t, try.method, try.path, try.body); got.Status != http.StatusForbidden {
					t.Errorf("%s: %s %s: %d %s", role, try.method, try.path, got.Status, got.Text)
				}
			}
		}
		// The last owner stays.
		for _, try := range []struct {
			method, path string
			body         any
		}{
			{http.MethodDelete, "/api/v1/administrators/users/" + h.User.ID.String() + "/owner", nil},
			{http.MethodPatch, alice, map[string]any{"is_active": false}},
			{http.MethodDelete, alice, nil},
		} {
			got := owner.must(t, http.StatusConflict, try.method, try.path, try.body)
			if got.code() != "admin_role.last_owner" {
				t.Errorf("%s %s: %s", try.method, try.path, got.Text)
			}
		}
		manager := keyFor(t, h, administrators.AppManager)
		powerful := h.AddClient(t, func(c *clients.Client) { c.APIs = []string{manage.APIOf(h.Issuer)} })
		plain := h.AddClient(t, nil)
		manager.must(t, http.StatusCreated, http.MethodPost, "/api/v1/clients/"+plain.ID+"/secrets", map[string]any{})
		manager.must(t, http.StatusForbidden, http.MethodPost, "/api/v1/clients/"+powerful.ID+"/secrets", map[string]any{})
		manager.must(t, http.StatusForbidden, http.MethodDelete, "/api/v1/clients/"+powerful.ID, nil)
		owner.must(
			t,
			http.StatusNoContent,
			http.MethodPut,
			"/api/v1/administrators/clients/"+plain.ID+"/owner",
			map[string]any{},
		)
		manager.must(t, http.StatusForbidden, http.MethodPost, "/api/v1/clients/"+plain.ID+"/secrets", map[string]any{})
		manager.must(t, http.StatusForbidden, http.MethodPut, "/api/v1/clients/newcomer", map[string]any{
			"client_name": "Mine", "redirect_uris": []string{"https://mine.example/cb"}, "apis": []string{manage.APIOf(h.Issuer)},
		}, "If-None-Match", "*")
	})
}

// What a key or a token was made for bounds what can be reached by it, whatever the roles of its holder.
func TestBoundKeyStaysBound(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		alice := h.User.ID.String()
		owner.must(
			t,
			http.StatusNoContent,
			http.MethodPut,
			"/api/v1/administrators/users/"+alice+"/owner",
			map[string]any{},
		)
		robot := h.AddClient(t, nil)
		owner.must(
			t,
			http.StatusNoContent,
			http.MethodPut,
			"/api/v1/administrators/clients/"+robot.ID+"/owner",
			map[string]any{},
		)
		made := owner.must(t, http.StatusCreated, http.MethodPost, "/api/v1/invitations", map[string]any{
			"administrative_role": "owner",
		})
		dora := h.Register(t, identity.NewUser{Username: "dora"}).ID.String()
		soon := h.Manage.Now().Add(time.Minute)
		for _, try := range []struct {
			permission   manage.Permission
			method, path string
			body         any
		}{
			{manage.WriteAPIKeys, http.MethodPost, "/api/v1/api-keys", map[string]any{"name": "x", "role": "owner", "expires_at": soon}},
			{manage.RecoverUsers, http.MethodPost, "/api/v1/users/" + alice + "/actions/reset-link", nil},
			{manage.RecoverUsers, http.MethodDelete, "/api/v1/users/" + alice + "/grants/" + alice, nil},
			{manage.RotateSecrets, http.MethodPost, "/api/v1/clients/" + robot.ID + "/secrets", map[string]any{}},
			{manage.WriteAdmins, http.MethodPut, "/api/v1/administrators/users/" + dora + "/owner", map[string]any{}},
			{manage.WriteUsers, http.MethodDelete, "/api/v1/invitations/" + made.JSON["id"].(string), nil},
		} {
			narrow := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) {
				k.Permissions = []manage.Permission{try.permission}
			})
			narrow.must(t, http.StatusForbidden, try.method, try.path, try.body)
		}
		here := keyFor(
			t,
			h,
			administrators.Owner,
			func(k *manage.NewAPIKey) { k.Networks = []string{"127.0.0.0/8", "::1"} },
		)
		for networks, status := range map[string]int{
			`[]`: http.StatusUnprocessableEntity, `["0.0.0.0/0"]`: http.StatusUnprocessableEntity,
			`["127.0.0.1","192.0.2.1"]`: http.StatusUnprocessableEntity, `["127.0.0.1"]`: http.StatusCreated,
		} {
			here.must(t, status, http.MethodPost, "/api/v1/api-keys",
				`{"name":"x","role":"support","networks":`+networks+`,"expires_at":"`+soon.Format(time.RFC3339)+`"}`)
		}
		here.must(t, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/api-keys", map[string]any{
			"name": "x", "role": "support", "networks": []string{"::1"}, "expires_at": soon.AddDate(1, 0, 0),
		})
		// An administrator makes no administrator, be it a key.
		keyFor(t, h, administrators.Administrator).must(t, http.StatusForbidden, http.MethodPost, "/api/v1/api-keys",
			map[string]any{"name": "x", "role": "administrator", "expires_at": soon})
	})
}

// What is given by who holds a role for a while ends with it.
func TestRoleForAWhileGivesNothingForGood(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		robot := h.AddClient(t, nil)
		soon := h.Manage.Now().Add(time.Hour)
		owner.must(t, http.StatusNoContent, http.MethodPut, "/api/v1/administrators/clients/"+robot.ID+"/administrator",
			map[string]any{"ends_at": soon})
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, _, err := h.Clients.Update(t.Context(), robot.ID, func(c *clients.Client) error {
			c.APIs = []string{manage.APIOf(h.Issuer)}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		token := h.Call(t, "/token", robot, url.Values{
			"grant_type": {"client_credentials"}, "resource": {manage.APIOf(h.Issuer)}, "scope": {allPermissions()},
		})
		c := caller{h, token.Text("access_token")}
		role := "/api/v1/administrators/users/" + h.User.ID.String() + "/support"
		got := c.must(t, http.StatusUnprocessableEntity, http.MethodPut, role, map[string]any{})
		if got.code() != "admin_role.outlasts" {
			t.Error(got.Text)
		}
		c.must(t, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/invitations", map[string]any{
			"administrative_role": "support",
		})
		c.must(t, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/api-keys", map[string]any{
			"name": "x", "role": "support", "expires_at": soon.AddDate(0, 1, 0),
		})
		c.must(t, http.StatusNoContent, http.MethodPut, role, map[string]any{"ends_at": soon.Add(-time.Minute)})
		// A token is good only as long as its app may ask for such.
		_, _, err = h.Clients.Update(t.Context(), robot.ID, func(c *clients.Client) error { c.APIs = nil; return nil })
		if err != nil {
			t.Fatal(err)
		}
		c.must(t, http.StatusUnauthorized, http.MethodGet, "/api/v1/me", nil)
	})
}

// What changes who may do something takes two factors of a person, by whichever way.
func TestStepUpCannotBeWalkedAround(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if err := h.DeclareManagement(t.Context()); err != nil {
			t.Fatal(err)
		}
		api := manage.APIOf(h.Issuer)
		app := h.AddClient(t, func(c *clients.Client) { c.APIs, c.IsTrusted = []string{api}, true })
		robot, plain := h.AddClient(t, nil), h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		dora := h.Register(t, identity.NewUser{Username: "dora"}).ID.String()
		owner := keyFor(t, h, administrators.Owner)
		for _, who := range []string{"users/" + h.User.ID.String(), "users/" + dora, "clients/" + robot.ID} {
			owner.must(t, http.StatusNoContent, http.MethodPut, "/api/v1/administrators/"+who+"/owner", map[string]any{})
		}
		b := h.NewBrowser(t)
		shown := b.SignIn(t, b.Get(t, h.AuthorizeURL(app, url.Values{
			"resource": {api}, "scope": {"openid " + allPermissions()},
		})))
		to, err := shown.Location()
		if err != nil {
			t.Fatalf("%s\n%s", shown.Path(), shown.Text)
		}
		c := caller{h, h.Redeem(t, app, to.Query().Get("code")).Text("access_token")}
		registered := map[string]any{"client_name": "Mine", "redirect_uris": []string{"https://mine.example/cb"}}
		for _, try := range []struct {
			method, path string
			body         any
		}{
			{http.MethodPut, "/api/v1/clients/" + robot.ID, registered}, {http.MethodDelete, "/api/v1/clients/" + robot.ID, nil},
			{http.MethodPut, "/api/v1/clients/" + app.ID, registered}, {http.MethodPut, "/api/v1/clients/" + plain.ID, registered},
			{http.MethodPatch, "/api/v1/users/" + dora, map[string]any{"is_active": false}},
		} {
			got := c.call(t, try.method, try.path, try.body, "If-Match", "*")
			if got.Status != http.StatusUnauthorized || got.code() != "step_up" {
				t.Errorf("%s %s: %d %s", try.method, try.path, got.Status, got.Text)
			}
		}
	})
}

// allPermissions are those of the management API as a scope.
func allPermissions() string {
	names, _ := manage.Permissions()
	scopes := make([]string, len(names))
	for i, name := range names {
		scopes[i] = string(name)
	}
	return strings.Join(scopes, " ")
}

// What was made for somebody before they got a role does not reach them when they hold it.
func TestResetLinkOfBeforeARole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		support := keyFor(t, h, administrators.Support)
		made := support.must(t, http.StatusCreated, http.MethodPost,
			"/api/v1/users/"+h.User.ID.String()+"/actions/reset-link", nil)
		link, err := url.Parse(made.JSON["link"].(string))
		if err != nil {
			t.Fatal(err)
		}
		works := func() bool {
			_, err := h.SignIns.Resets().Check(t.Context(), link.Query().Get("token"), "")
			return err == nil
		}
		if !works() {
			t.Fatal("the link does not work")
		}
		keyFor(t, h, administrators.Owner).must(t, http.StatusNoContent, http.MethodPut,
			"/api/v1/administrators/users/"+h.User.ID.String()+"/auditor", map[string]any{})
		if works() {
			t.Error("support's link still chooses the password of an auditor")
		}
	})
}
