package clients_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

// A declared app may name groups that there are none of yet: they are made, and it is not open to anybody meanwhile.
func TestDeclaredAccess(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		declare := func(want int, groups ...string) {
			t.Helper()
			h.Pass(time.Second)
			created, changed, err := h.Clients.Declare(t.Context(), []clients.Declaration{{Client: &clients.Client{
				ID: "app", Name: "App", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://app.example/cb"},
				Access: access.Listed, AccessGroups: groups,
			}}})
			if err != nil || len(created)+len(changed) != want {
				t.Fatalf("created %v and changed %v, %v", created, changed, err)
			}
			slices.Sort(groups)
			client, err := h.Clients.Fresh(t.Context(), "app")
			if err != nil || client.Access != access.Listed || !slices.Equal(client.AccessGroups, groups) {
				t.Errorf("the app is for %s %v, %v", client.Access, client.AccessGroups, err)
			}
		}
		groups := h.Identity.Groups()
		if _, err := groups.Create(t.Context(), "staff", "Everybody here"); err != nil {
			t.Fatal(err)
		}
		declare(1, "staff", "board")
		declare(0, "board", "staff") // in whatever order
		if board, err := groups.Find(t.Context(), "board"); err != nil || board.Source != "declared" {
			t.Errorf("a group that is declared: %+v, %v", board, err)
		}
		if staff, err := groups.Find(t.Context(), "staff"); err != nil || staff.Name != "Everybody here" {
			t.Errorf("a group that was there: %+v, %v", staff, err)
		}
		if err := groups.Delete(t.Context(), "board"); err != nil {
			t.Fatal(err)
		}
		declare(1, "staff", "board")
		declare(1, "staff")
	})
}

func TestAccessOfAnAppIsInOrder(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*clients.Client){
		"an access that there is none of":      func(c *clients.Client) { c.Access = "nobody" },
		"groups of an app for everyone":        func(c *clients.Client) { c.AccessGroups = []string{"staff"} },
		"told those listed, for everyone":      func(c *clients.Client) { c.GroupsTold = access.ToldAccess },
		"what is no slug":                      func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"A B"} },
		"a claim that means something else":    func(c *clients.Client) { c.GroupsClaim = "sub" },
		"another claim about the person":       func(c *clients.Client) { c.GroupsClaim = "roles" },
		"a claim with a space":                 func(c *clients.Client) { c.GroupsClaim = "my groups" },
		"an empty prefix":                      func(c *clients.Client) { c.GroupsTold = "prefix:" },
		"a prefix that no slug can begin with": func(c *clients.Client) { c.GroupsTold = "prefix:%" },
	} {
		client := &clients.Client{
			ID: "app", Name: "App", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://app.example/cb"},
		}
		if err := client.Complete(); err != nil {
			t.Fatal(err)
		}
		change(client)
		if err := client.Complete(); !errors.Is(err, clients.ErrClient) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
