package management

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
)

// What an app would be told is what it is told then, claim by claim.
func TestPreviewIsWhatAnAppIsTold(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.Roles().Grant(t.Context(), h.User.ID, "employee"); err != nil {
			t.Fatal(err)
		}
		owner := keyFor(t, h, administrators.Owner)
		for name, change := range map[string]func(*clients.Client){
			"plain":   func(*clients.Client) {},
			"minimal": func(c *clients.Client) { c.IDTokenClaims = clients.IDTokenMinimal },
			"groups": func(c *clients.Client) {
				c.Scopes, c.GroupsClaim = []string{"openid", "profile", "email", "groups", "roles"}, "teams"
			},
		} {
			t.Run(name, func(t *testing.T) {
				app := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true; change(c) })
				path := "/api/v1/clients/" + app.ID + "/preview?user=" + h.User.ID.String() + "&scope=openid+profile+email+roles+groups"
				asked := map[string][]string{"scope": {"openid profile email roles groups"}}
				if name != "groups" {
					asked["scope"] = []string{"openid profile email"}
				}
				tokens := h.Redeem(t, app, h.NewBrowser(t).Code(t, app, asked))
				after := owner.must(t, http.StatusOK, http.MethodGet, path, nil)
				trail := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/audit?entity=client&entity_id="+app.ID, nil)
				if !strings.Contains(trail.Text, `"previewed"`) || !strings.Contains(trail.Text, h.User.ID.String()) {
					t.Errorf("the audit trail says %s", trail.Text)
				}
				if tokens.Status != http.StatusOK {
					t.Fatalf("no tokens: %v", tokens.JSON)
				}
				payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens.Text("id_token"), ".")[1])
				if err != nil {
					t.Fatal(err)
				}
				var told map[string]any
				if err := json.Unmarshal(payload, &told); err != nil {
					t.Fatal(err)
				}
				info := h.Userinfo(t, tokens.Text("access_token"))
				preview, userinfo := after.JSON["id_token"].(map[string]any), after.JSON["userinfo"].(map[string]any)
				for _, made := range []string{"exp", "iat", "auth_time", "at_hash", "sid", "nonce"} {
					delete(told, made)
					delete(preview, made)
				}
				if !reflect.DeepEqual(told, preview) {
					t.Errorf("the ID token tells\n%v, and the preview\n%v", told, preview)
				}
				if !reflect.DeepEqual(info.JSON, userinfo) {
					t.Errorf("userinfo tells\n%v, and the preview\n%v", info.JSON, userinfo)
				}
			})
		}
	})
}

func TestPreviewSaysWhoMayUseAnApp(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		app := h.AddClient(t, func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"staff"} })
		owner := keyFor(t, h, administrators.Owner)
		path := "/api/v1/clients/" + app.ID + "/preview?user=" + h.User.ID.String()
		if got := owner.must(t, http.StatusOK, http.MethodGet, path, nil); got.JSON["allowed"] != false {
			t.Errorf("outside of the group: %s", got.Text)
		}
		if err := h.Identity.Groups().Add(t.Context(), "staff", h.User.ID); err != nil {
			t.Fatal(err)
		}
		if got := owner.must(t, http.StatusOK, http.MethodGet, path, nil); got.JSON["allowed"] != true {
			t.Errorf("in the group: %s", got.Text)
		}
		nobody := "/api/v1/clients/" + app.ID + "/preview?user=" + uuid.NewString()
		owner.must(t, http.StatusNotFound, http.MethodGet, nobody, nil)
	})
}
