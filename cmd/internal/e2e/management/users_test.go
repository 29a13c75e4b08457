package management

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
)

func TestUsersOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.Owner)
		made := c.must(t, http.StatusCreated, http.MethodPost, "/api/v1/users", map[string]any{
			"username": "dora", "name": "Dora Example", "email": "dora@example.com", "email_verified": true,
			"roles": []string{"clerk"},
		})
		path := made.Header.Get("Location")
		shown := c.must(t, http.StatusOK, http.MethodGet, path, nil)
		if shown.JSON["username"] != "dora" || shown.JSON["email"] != "dora@example.com" ||
			shown.JSON["is_active"] != true ||
			shown.JSON["created_by"] != made.JSON["created_by"] {
			t.Errorf("shown as %s", shown.Text)
		}
		changed := c.must(t, http.StatusOK, http.MethodPatch, path, map[string]any{"name": "Dora the Second"},
			"If-Match", shown.Header.Get("ETag"))
		if changed.JSON["name"] != "Dora the Second" || changed.Header.Get("ETag") == shown.Header.Get("ETag") {
			t.Errorf("changed to %s", changed.Text)
		}
		stale := c.must(t, http.StatusPreconditionFailed, http.MethodPatch, path, map[string]any{"is_active": false},
			"If-Match", shown.Header.Get("ETag"))
		if stale.code() != "precondition.failed" {
			t.Errorf("what was seen before: %s", stale.Text)
		}
		taken := c.must(t, http.StatusConflict, http.MethodPost, "/api/v1/users", map[string]any{"username": "Dora"})
		if taken.code() != "username.taken" {
			t.Errorf("a name that is taken: %s", taken.Text)
		}
		if roles := c.must(t, http.StatusOK, http.MethodGet, path+"/roles", nil); len(roles.JSON["items"].([]any)) != 1 {
			t.Errorf("roles: %s", roles.Text)
		}
		c.must(t, http.StatusNoContent, http.MethodPut, path+"/roles/billing%3Aread", nil)
		c.must(t, http.StatusNoContent, http.MethodPut, path+"/roles/billing%2Fwrite", nil)
		c.must(t, http.StatusNoContent, http.MethodDelete, path+"/roles/clerk", nil)
		c.must(t, http.StatusNotFound, http.MethodDelete, path+"/roles/clerk", nil)
		if roles := c.must(t, http.StatusOK, http.MethodGet, path+"/roles", nil); len(roles.JSON["items"].([]any)) != 2 {
			t.Errorf("roles: %s", roles.Text)
		}
		for _, action := range []string{"unlock", "sign-out-everywhere", "reset-factors"} {
			c.must(t, http.StatusNoContent, http.MethodPost, path+"/actions/"+action, nil)
		}
		c.must(
			t,
			http.StatusNoContent,
			http.MethodPost,
			path+"/actions/set-password",
			map[string]any{"password": harness.Password},
		)
		c.must(t, http.StatusCreated, http.MethodPost, path+"/actions/reset-link", nil)
		for _, of := range []string{"/sessions", "/factors", "/grants"} {
			c.must(t, http.StatusOK, http.MethodGet, path+of, nil)
		}
		c.must(t, http.StatusNoContent, http.MethodDelete, path, nil)
		c.must(t, http.StatusNotFound, http.MethodGet, path, nil)
		c.must(t, http.StatusNotFound, http.MethodDelete, path, nil)

		trail := c.must(
			t,
			http.StatusOK,
			http.MethodGet,
			"/api/v1/audit?entity=user&entity_id="+fmt.Sprint(made.JSON["id"]),
			nil,
		)
		for _, entry := range trail.JSON["items"].([]any) {
			if entry := entry.(map[string]any); entry["via"] != "api" || entry["actor"] != made.JSON["created_by"] {
				t.Errorf("the audit trail says %v", entry)
			}
		}
	})
}

func TestPeopleAreListedInParts(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.Auditor)
		for i := range 25 {
			h.Register(t, identity.NewUser{Username: fmt.Sprintf("person%02d", i)})
		}
		for _, sort := range []string{"-created_at", "created_at", "username"} {
			seen, parts, next := map[any]bool{}, 0, ""
			for {
				page := c.must(
					t,
					http.StatusOK,
					http.MethodGet,
					"/api/v1/users?limit=10&q=pers&sort="+sort+"&cursor="+next,
					nil,
				)
				for _, item := range page.JSON["items"].([]any) {
					name := item.(map[string]any)["username"]
					if seen[name] {
						t.Errorf("%s: %v comes twice", sort, name)
					}
					seen[name] = true
				}
				parts++
				var more bool
				if next, more = page.JSON["next"].(string); !more {
					break
				}
			}
			if len(seen) != 25 || parts != 3 {
				t.Errorf("%s: %d people in %d parts", sort, len(seen), parts)
			}
		}
		page := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/users?limit=10", nil)
		cursor := page.JSON["next"].(string)
		for what, query := range map[string]string{
			"another filter": "q=person&cursor=" + cursor, "a forged one": "cursor=" + cursor[:len(cursor)-2] + "AA",
			"another list": "cursor=x", "another order": "sort=username&cursor=" + cursor,
		} {
			refused := c.must(t, http.StatusUnprocessableEntity, http.MethodGet, "/api/v1/users?limit=10&"+query, nil)
			if refused.code() != "cursor.invalid" {
				t.Errorf("%s: %s", what, refused.Text)
			}
		}
		for query, want := range map[string]int{
			"q=ALICE": 1, "q=alice@exam": 1, "q=Alice%20Ex": 1, "q=lice": 0, "q=%25": 0, "status=disabled": 0,
			"q=" + h.User.ID.String(): 1, "role=nobody": 0, "q=person1": 10,
		} {
			found := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/users?"+query, nil)
			if n := len(found.JSON["items"].([]any)); n != want {
				t.Errorf("%s finds %d: %s", query, n, found.Text)
			}
		}
	})
}

func TestWhatHappenedIsListedInParts(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.Auditor)
		for i := range 25 {
			h.Register(t, identity.NewUser{Username: fmt.Sprintf("person%02d", i)})
		}
		b := h.NewBrowser(t)
		b.SignIn(t, b.Get(t, "/sign-in"))
		for path, want := range map[string]int{
			"/api/v1/audit?entity=user&action=created&": 26, "/api/v1/login-attempts?outcome=success&": 1,
			"/api/v1/login-attempts?outcome=failure&": 0, "/api/v1/audit?user_id=" + h.User.ID.String() + "&entity=user&": 1,
			"/api/v1/audit?since=2100-01-01T00:00:00Z&": 0, "/api/v1/audit?until=2000-01-01T00:00:00Z&": 0,
		} {
			seen, last, next := 0, h.Manage.Now().Add(time.Minute), ""
			for {
				page := c.must(t, http.StatusOK, http.MethodGet, path+"limit=10&cursor="+next, nil)
				for _, item := range page.JSON["items"].([]any) {
					at, err := time.Parse(time.RFC3339Nano, item.(map[string]any)["at"].(string))
					if err != nil || at.After(last) {
						t.Errorf("%s: %s comes after %s: %v", path, at, last, err)
					}
					seen, last = seen+1, at
				}
				var more bool
				if next, more = page.JSON["next"].(string); !more {
					break
				}
			}
			if seen != want {
				t.Errorf("%s: %d instead of %d", path, seen, want)
			}
		}
	})
}
