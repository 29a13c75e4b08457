package operation

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// startWithoutRedis starts two replicas that share a PostgreSQL and nothing else.
func startWithoutRedis(t *testing.T) []*harness.Server {
	t.Helper()
	one := harness.Start(t, storagetest.URL(t, storage.Postgres))
	return []*harness.Server{one, one.Replica(t)}
}

// oneOf20 does something twenty times at once on the replicas in turn, and demands that it works once.
func oneOf20(t *testing.T, servers []*harness.Server, works func(h *harness.Server) bool) {
	t.Helper()
	var worked atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if works(servers[i%len(servers)]) {
				worked.Add(1)
			}
		})
	}
	wg.Wait()
	if worked.Load() != 1 {
		t.Errorf("of 20 at once on %d replicas %d worked", len(servers), worked.Load())
	}
}

// An assertion that authenticated a client on one replica is used up on all of them.
func TestReplicasRefuseAnAssertionThatWasUsed(t *testing.T) {
	t.Parallel()
	servers := startWithoutRedis(t)
	private, keys := harness.NewClientKey(t)
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON([]byte(private)); err != nil {
		t.Fatal(err)
	}
	client := servers[0].AddClient(t, func(c *clients.Client) { c.AuthMethod, c.JWKS = clients.AuthPrivateKeyJWT, keys })
	ask := func(h *harness.Server, assertion string) harness.Answer {
		return h.Call(t, oidc.PathToken, harness.Client{Client: client.Client}, url.Values{
			"grant_type": {oidc.GrantClientCredentials}, "client_assertion": {assertion},
			"client_assertion_type": {clients.AssertionType},
		})
	}
	sign := func(jti string) string {
		claims, err := json.Marshal(map[string]any{
			"iss": client.ID, "sub": client.ID, "aud": servers[0].Config().Issuer, "jti": jti,
			"exp": time.Now().Add(time.Minute).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	first := sign("1")
	if a := ask(servers[0], first); a.Status != http.StatusOK {
		t.Fatalf("the first use: %d %v", a.Status, a.JSON)
	}
	for _, h := range servers {
		if a := ask(h, first); a.Text("error") != "invalid_client" ||
			!strings.Contains(a.Text("error_description"), "used before") {
			t.Errorf("used again: %d %v", a.Status, a.JSON)
		}
	}
	parallel := sign("2")
	oneOf20(t, servers, func(h *harness.Server) bool { return ask(h, parallel).Status == http.StatusOK })
}

// What a passkey that counts nothing has answered on one replica signs nobody in once more, on none of them.
func TestReplicasRefuseAPasskeysAnswerThatWasUsed(t *testing.T) {
	t.Parallel()
	servers := startWithoutRedis(t)
	passkey := servers[0].AddPasskey(t)
	answer := func() url.Values { return passkey.Show(t, servers[0].NewBrowser(t)) }
	signsIn := func(h *harness.Server, form url.Values) bool {
		b := h.NewBrowser(t)
		b.Post(t, "/sign-in/passkey", form)
		return isSignedIn(t, b)
	}
	first := answer()
	if !signsIn(servers[0], first) {
		t.Fatal("the passkey does not sign in")
	}
	for _, h := range servers {
		if signsIn(h, first) {
			t.Error("the same answer signs in again")
		}
	}
	parallel := answer()
	oneOf20(t, servers, func(h *harness.Server) bool { return signsIn(h, parallel) })
	attempts, err := servers[0].SignIns.Attempts().List(t.Context(), servers[0].User.ID, 1)
	if err != nil || len(attempts) != 1 || attempts[0].FailureReason != "wrong_passkey" {
		t.Errorf("noted: %+v, %v", attempts, err) // and nobody is told that the key was copied
	}
	for _, mail := range servers[0].Config().Outbox.Messages() {
		if strings.Contains(mail.Subject, "copied") {
			t.Error("its owner is told that the key was copied")
		}
	}
}

// A provider's logout token that ended sessions on one replica ends none on the other.
func TestReplicasRefuseALogoutTokenThatWasUsed(t *testing.T) {
	t.Parallel()
	servers := startWithoutRedis(t)
	provider := servers[0].StartProvider(t, "scripted", nil)
	if _, err := servers[1].Upstreams.Provider(t.Context(), "scripted"); err != nil {
		t.Fatal(err)
	}
	send := func(h *harness.Server, token string) int {
		response, err := http.PostForm(h.Issuer+"/federation/scripted/logout", url.Values{"logout_token": {token}})
		return harness.ReadPage(t, response, err).StatusCode
	}
	first := provider.Sign(provider.LogoutToken(t, nil))
	if status := send(servers[0], first); status != http.StatusOK {
		t.Fatalf("the first use: %d", status)
	}
	for _, h := range servers {
		if status := send(h, first); status != http.StatusBadRequest {
			t.Errorf("used again: %d", status)
		}
	}
	parallel := provider.Sign(provider.LogoutToken(t, nil))
	oneOf20(t, servers, func(h *harness.Server) bool { return send(h, parallel) == http.StatusOK })
}
