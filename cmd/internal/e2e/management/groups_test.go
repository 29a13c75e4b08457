package management

import (
	"net/http"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
)

func TestGroupsOverTheAPI(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.UserManager)
		const path = "/api/v1/groups/staff"
		wanted := map[string]any{"name": "Staff"}
		c.must(t, http.StatusPreconditionRequired, http.MethodPut, path, wanted)
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-Match", "*")
		c.must(t, http.StatusCreated, http.MethodPut, path, wanted, "If-None-Match", "*")
		again := c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-None-Match", "*")
		if again.code() != "precondition.exists" {
			t.Error(again.Text)
		}
		shown := c.must(t, http.StatusOK, http.MethodGet, path, nil)
		c.must(t, http.StatusOK, http.MethodPut, path, map[string]any{"name": "All staff"},
			"If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, path, wanted, "If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusNoContent, http.MethodPut, path+"/roles/clerk", nil)
		c.must(t, http.StatusNoContent, http.MethodPut, path+"/roles/clerk", nil)

		alice := h.User.ID.String()
		member := path + "/members/" + alice
		c.must(t, http.StatusNoContent, http.MethodPut, member, nil)
		c.must(t, http.StatusNoContent, http.MethodPut, member, nil)
		members := c.must(t, http.StatusOK, http.MethodGet, path+"/members", nil)
		if len(members.JSON["items"].([]any)) != 1 {
			t.Error(members.Text)
		}
		roles := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/users/"+alice+"/roles", nil)
		items := roles.JSON["items"].([]any)
		if len(items) != 1 || items[0].(map[string]any)["group"] != "staff" {
			t.Errorf("roles by groups: %s", roles.Text)
		}
		listed := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/groups?limit=1", nil)
		group := listed.JSON["items"].([]any)[0].(map[string]any)
		if group["members"] != 1.0 || group["name"] != "All staff" {
			t.Error(listed.Text)
		}
		c.must(t, http.StatusNoContent, http.MethodDelete, member, nil)
		c.must(t, http.StatusNotFound, http.MethodDelete, member, nil)
		c.must(t, http.StatusNoContent, http.MethodDelete, path+"/roles/clerk", nil)
		c.must(t, http.StatusNotFound, http.MethodDelete, path+"/roles/clerk", nil)
		c.must(t, http.StatusNoContent, http.MethodDelete, path, nil)
		c.must(t, http.StatusNotFound, http.MethodGet, path, nil)
	})
}
