package operation

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// While the keys are rotated because one has leaked, what one replica has just signed is good at the other, and apps
// find its key wherever they look.
func TestReplicasTrustEachOtherAfterALeak(t *testing.T) {
	t.Parallel()
	servers := startWithoutRedis(t)
	for _, h := range servers {
		go h.Keys.Watch(t.Context())
	}
	client := servers[0].AddClient(t, nil)
	made, err := servers[0].Replica(t).Keys.Rotate(t.Context(), true) // as the command does, beside those that serve
	if err != nil {
		t.Fatal(err)
	}
	isNew := func(kid string) bool {
		return slices.ContainsFunc(made, func(key keys.SigningKey) bool { return key.KID == kid })
	}
	turn, settled := 0, 0 // settled counts the last turns in which nothing was old
	storagetest.Eventually(t, 30*time.Second, "the old keys are gone everywhere", func() bool {
		turn++
		one, other := servers[turn%2], servers[1-turn%2]
		issued := one.Call(t, oidc.PathToken, client, url.Values{"grant_type": {oidc.GrantClientCredentials}})
		token := issued.Text("access_token")
		signed, err := jose.ParseSignedCompact(token, keys.SigningAlgs)
		if err != nil {
			t.Fatalf("%d %v: %v", issued.Status, issued.JSON, err)
		}
		kid := signed.Signatures[0].Protected.KeyID
		if a := other.Call(t, oidc.PathIntrospect, client, url.Values{"token": {token}}); a.JSON["active"] != true {
			t.Fatalf("signed a moment ago by a key of which new is %t, and refused: %v", isNew(kid), a.JSON)
		}
		response, err := http.Get(other.Issuer + oidc.PathJWKS)
		published := harness.ReadPage(t, response, err).Text
		if !strings.Contains(published, kid) {
			t.Fatalf("a replica signs with a key (new: %t) that the other does not publish", isNew(kid))
		}
		if settled++; !isNew(kid) || strings.Count(published, `"kid"`) != len(keys.SigningAlgs) {
			settled = 0
		}
		return settled == 2
	})
}
