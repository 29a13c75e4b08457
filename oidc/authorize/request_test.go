package authorize_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Where it is not clear who asks or where the answer goes, nothing goes anywhere, whatever else is wrong with the
// request.
func TestADoubledClientOrRedirectURIIsToldToThePersonOnly(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	for _, client := range fuzzClients() {
		h.Add(t, client)
	}
	right := url.Values{
		"client_id": {"web"}, "redirect_uri": {"https://app.example.com/cb"}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"s"}, "nonce": {"n"},
	}
	for _, decisive := range []string{"client_id", "redirect_uri"} {
		for range 50 { // maps are read in another order each time
			form := url.Values{}
			for name, values := range right {
				form[name] = append(values[:1:1], values...)
			}
			if decisive == "client_id" {
				form["redirect_uri"] = right["redirect_uri"]
			} else {
				form["client_id"] = right["client_id"]
			}
			_, err := h.Authorize.Read(t.Context(), form)
			var refused *authorize.Refusal
			if !errors.As(err, &refused) {
				t.Fatalf("%s doubled: %v", decisive, err)
			}
			if refused.Authorization != nil {
				t.Fatalf(
					"%s is doubled, and the answer goes to %s: %v", decisive, refused.Authorization.RedirectURI, refused.Reason,
				)
			}
		}
	}
}
