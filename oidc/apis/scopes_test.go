package apis_test

import (
	"slices"
	"testing"

	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
)

// A client that is registered for a scope of an API by name has no other there, be the name one of Wicket's own by now.
func TestScopesOfAClientAtAnAPI(t *testing.T) {
	t.Parallel()
	api := &apis.API{Scopes: []apis.Scope{{Name: "groups"}, {Name: "delete-everything"}}}
	for _, c := range []struct{ registered, gets []string }{
		{[]string{"openid"}, []string{"groups", "delete-everything"}},
		{[]string{"openid", "groups"}, []string{"groups"}},
		{[]string{"openid", "delete-everything"}, []string{"delete-everything"}},
		{[]string{"openid", "another"}, nil},
	} {
		if got := api.ScopesOf(&clients.Client{Scopes: c.registered}); !slices.Equal(got, c.gets) {
			t.Errorf("%v gets %v", c.registered, got)
		}
	}
}
