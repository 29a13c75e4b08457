package protocol

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/oidc/dpop/dpoptest"
)

// holder is an app that holds a key.
type holder struct {
	*dpoptest.Key
	server *harness.Server
}

// atToken is a proof for the token endpoint.
func (k holder) atToken(t *testing.T) string {
	return k.Proof(t, http.MethodPost, k.server.Issuer+oidc.PathToken, "", nil)
}

// userinfo asks with the scheme DPoP and a proof of the key.
func (k holder) userinfo(t *testing.T, token string) harness.Answer {
	return k.server.UserinfoBy(t, "DPoP "+token, k.Proof(t, http.MethodGet, k.server.Issuer+oidc.PathUserinfo, token, nil))
}

func newHolder(t *testing.T, h *harness.Server) holder { return holder{dpoptest.NewKey(t), h} }

// publicClient is an app without a secret.
func publicClient(t *testing.T, h *harness.Server, change func(*clients.Client)) harness.Client {
	return h.AddClient(t, func(c *clients.Client) {
		c.AuthMethod = clients.AuthNone
		if change != nil {
			change(c)
		}
	})
}

// Tokens that were asked for with a proof of a key are good with proofs of that key alone: RFC 9449, section 7.
func TestBoundTokens(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, key, other := publicClient(t, h, nil), newHolder(t, h), newHolder(t, h)
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil), key.atToken(t))
		if tokens.Status != http.StatusOK || tokens.Text("token_type") != "DPoP" {
			t.Fatalf("%d %v", tokens.Status, tokens.JSON)
		}
		access := tokens.Text("access_token")
		_, claims := claimsOf(t, access)
		if confirmation, _ := claims["cnf"].(map[string]any); confirmation["jkt"] != key.Thumbprint {
			t.Errorf("cnf is %v", claims["cnf"])
		}
		at := h.Issuer + oidc.PathUserinfo
		used := key.Proof(t, http.MethodGet, at, access, nil)
		if a := h.UserinfoBy(t, "dpop "+access, used); a.Status != http.StatusOK || a.Text("sub") == "" {
			t.Errorf("by its holder: %d %v", a.Status, a.JSON)
		}
		for what, c := range map[string]struct {
			authorization, proof, code string
		}{
			"as a bearer token":       {"Bearer " + access, "", "invalid_token"},
			"as one, with a proof":    {"Bearer " + access, key.Proof(t, http.MethodGet, at, access, nil), "invalid_token"},
			"without a proof":         {"DPoP " + access, "", dpop.CodeProof},
			"another key":             {"DPoP " + access, other.Proof(t, http.MethodGet, at, access, nil), "invalid_token"},
			"a proof that was used":   {"DPoP " + access, used, dpop.CodeProof},
			"a proof without a token": {"DPoP " + access, key.Proof(t, http.MethodGet, at, "", nil), dpop.CodeProof},
			"a proof for a post":      {"DPoP " + access, key.Proof(t, http.MethodPost, at, access, nil), dpop.CodeProof},
		} {
			proofs := []string{c.proof}
			if c.proof == "" {
				proofs = nil
			}
			a := h.UserinfoBy(t, c.authorization, proofs...)
			challenge := a.Header.Get("WWW-Authenticate")
			if a.Status != http.StatusUnauthorized || a.Text("error") != c.code ||
				!strings.HasPrefix(challenge, `DPoP error="`+c.code+`", algs="`) {
				t.Errorf("%s: %d %v, %s", what, a.Status, a.JSON, challenge)
			}
		}
		form, _ := http.NewRequest(http.MethodPost, at, strings.NewReader(url.Values{"access_token": {access}}.Encode()))
		form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		form.Header.Set("Authorization", "DPoP")
		form.Header.Set(dpop.Header, key.Proof(t, http.MethodPost, at, access, nil))
		if a := h.Send(t, form); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("in the body, with a proof: %s %s", a.Status, a.Text)
		}
		body := h.Call(t, oidc.PathUserinfo, client, url.Values{"access_token": {access}})
		if body.Status != http.StatusUnauthorized {
			t.Errorf("in the body: %d %v", body.Status, body.JSON)
		}
		unbound := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil)).Text("access_token")
		if a := key.userinfo(t, unbound); a.Status != http.StatusUnauthorized {
			t.Errorf("a bearer token by the scheme DPoP: %d %v", a.Status, a.JSON)
		}
		asking := h.AddClient(t, func(c *clients.Client) { c.IntrospectsAll = true })
		told := h.Call(t, oidc.PathIntrospect, asking, url.Values{"token": {access}})
		confirmation, _ := told.JSON["cnf"].(map[string]any)
		if told.Text("token_type") != "DPoP" || confirmation["jkt"] != key.Thumbprint {
			t.Errorf("introspected: %v", told.JSON)
		}
	})
}

// A refresh token of a public client is good with the key that it was issued for, for ever: section 5. Whoever has it
// without the key learns nothing and ends nothing.
func TestBoundRefreshTokens(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, key, thief := publicClient(t, h, nil), newHolder(t, h), newHolder(t, h)
		first := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil), key.atToken(t)).Text("refresh_token")
		refused := func(what, token string) {
			t.Helper()
			for by, proofs := range map[string][]string{"nobody": nil, "another": {thief.atToken(t)}} {
				if a := h.Refresh(t, client, token, proofs...); a.Status != 400 || a.Text("error") != "invalid_grant" {
					t.Errorf("%s by %s: %d %v", what, by, a.Status, a.JSON)
				}
			}
		}
		refused("unused", first)
		second := h.Refresh(t, client, first, key.atToken(t))
		if second.Status != http.StatusOK || second.Text("token_type") != "DPoP" {
			t.Fatalf("by its holder: %d %v", second.Status, second.JSON)
		}
		refused("a repeat", first)
		repeated := h.Refresh(t, client, first, key.atToken(t))
		if repeated.Text("refresh_token") != second.Text("refresh_token") {
			t.Errorf("a repeat by its holder: %d %v", repeated.Status, repeated.JSON)
		}
		third := h.Refresh(t, client, second.Text("refresh_token"), key.atToken(t))
		refused("long used", first)
		if a := key.userinfo(t, third.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("the family has ended: %d %v", a.Status, a.JSON)
		}
		if a := h.Refresh(t, client, first, key.atToken(t)); a.Text("error") != "invalid_grant" {
			t.Errorf("long used, by its holder: %d %v", a.Status, a.JSON)
		}
		if a := key.userinfo(t, third.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("the family goes on: %d %v", a.Status, a.JSON)
		}
		proof := key.atToken(t)
		if a := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil), proof); a.Status != http.StatusOK {
			t.Errorf("%d %v", a.Status, a.JSON)
		}
		if a := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil), proof); a.Text("error") != dpop.CodeProof {
			t.Errorf("a proof that was used: %d %v", a.Status, a.JSON)
		}
	})
}

// Who has a secret may change its key with a refresh: its refresh tokens are its own by the secret.
func TestKeysOfConfidentialClientsChange(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, before, after := h.AddClient(t, nil), newHolder(t, h), newHolder(t, h)
		tokens := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil), before.atToken(t))
		next := h.Refresh(t, client, tokens.Text("refresh_token"), after.atToken(t))
		if a := after.userinfo(t, next.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("with the new key: %d %v", a.Status, a.JSON)
		}
		if a := before.userinfo(t, next.Text("access_token")); a.Status != http.StatusUnauthorized {
			t.Errorf("with the old key: %d %v", a.Status, a.JSON)
		}
	})
}

// An app that has promised to bind its tokens gets none without a proof, by whatever grant; and the code is not used
// up.
func TestBoundClients(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.DPoPBound, c.DPoPNonce = true, true })
		key, code := newHolder(t, h), h.NewBrowser(t).Code(t, client, nil)
		if a := h.Redeem(t, client, code); a.Status != 400 || a.Text("error") != dpop.CodeProof {
			t.Errorf("without a proof: %d %v", a.Status, a.JSON)
		}
		asked := h.Redeem(t, client, code, key.atToken(t))
		nonce := asked.Header.Get("DPoP-Nonce")
		if asked.Status != 400 || asked.Text("error") != dpop.CodeNonce || nonce == "" {
			t.Fatalf("without a nonce: %d %v", asked.Status, asked.JSON)
		}
		with := func(method, path, token string) string {
			return key.Proof(t, method, h.Issuer+path, token, func(p dpoptest.Parts) {
				p.Claims["nonce"], p.Claims["iat"] = nonce, 1
			})
		}
		tokens := h.Redeem(t, client, code, with(http.MethodPost, oidc.PathToken, ""))
		if tokens.Status != http.StatusOK {
			t.Fatalf("with a nonce: %d %v", tokens.Status, tokens.JSON)
		}
		access := tokens.Text("access_token")
		if a := key.userinfo(t, access); a.Status != 401 || a.Text("error") != dpop.CodeNonce ||
			a.Header.Get("DPoP-Nonce") == "" {
			t.Errorf("userinfo without a nonce: %d %v", a.Status, a.JSON)
		}
		at := with(http.MethodGet, oidc.PathUserinfo, access)
		if a := h.UserinfoBy(t, "DPoP "+access, at); a.Status != http.StatusOK {
			t.Errorf("userinfo with a nonce: %d %v", a.Status, a.JSON)
		}
		for name, form := range map[string]url.Values{
			"client_credentials": {"grant_type": {oidc.GrantClientCredentials}},
			"refresh_token": {
				"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {tokens.Text("refresh_token")},
			},
		} {
			if a := h.Call(t, oidc.PathToken, client, form); a.Text("error") != dpop.CodeProof {
				t.Errorf("%s without a proof: %d %v", name, a.Status, a.JSON)
			}
			a := h.Call(t, oidc.PathToken, client, form, with(http.MethodPost, oidc.PathToken, ""))
			if a.Text("token_type") != "DPoP" {
				t.Errorf("%s: %d %v", name, a.Status, a.JSON)
			}
		}
	})
}

// A code is bound to a key by the authorization request, pushed or not: section 10.
func TestBoundCodes(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, b := h.AddClient(t, func(c *clients.Client) { c.IsTrusted = true }), h.NewBrowser(t)
		key, other := newHolder(t, h), newHolder(t, h)
		b.Code(t, client, nil)
		codeAt := func(address string) string {
			t.Helper()
			location, err := b.Get(t, address).Location()
			if err != nil || location.Query().Get("code") == "" {
				t.Fatalf("no code: %v, %v", location, err)
			}
			return location.Query().Get("code")
		}
		push := func(key string, proofs ...string) harness.Answer {
			asked, _ := url.Parse(h.AuthorizeURL(client, url.Values{"dpop_jkt": {key}}))
			return h.Call(t, oidc.PathPAR, client, asked.Query(), proofs...)
		}
		atPAR := func(k holder) string { return k.Proof(t, http.MethodPost, h.Issuer+oidc.PathPAR, "", nil) }
		pushed := func(a harness.Answer) string {
			t.Helper()
			if a.Status != http.StatusCreated {
				t.Fatalf("%d %v", a.Status, a.JSON)
			}
			parameters := url.Values{"client_id": {client.ID}, "request_uri": {a.Text("request_uri")}}
			return codeAt(h.Issuer + oidc.PathAuthorize + "?" + parameters.Encode())
		}
		for how, code := range map[string]string{
			"dpop_jkt":         codeAt(h.AuthorizeURL(client, url.Values{"dpop_jkt": {key.Thumbprint}})),
			"dpop_jkt, pushed": pushed(push(key.Thumbprint)),
			"a proof, pushed":  pushed(push("", atPAR(key))),
			"both, pushed":     pushed(push(key.Thumbprint, atPAR(key))),
		} {
			for by, proofs := range map[string][]string{"nobody": nil, "another": {other.atToken(t)}} {
				if a := h.Redeem(t, client, code, proofs...); a.Status != 400 || a.Text("error") != "invalid_grant" {
					t.Errorf("%s, redeemed by %s: %d %v", how, by, a.Status, a.JSON)
				}
			}
			if a := h.Redeem(t, client, code, key.atToken(t)); a.Status != http.StatusOK {
				t.Errorf("%s: %d %v", how, a.Status, a.JSON)
			}
		}
		if a := push(other.Thumbprint, atPAR(key)); a.Status != 400 || a.Text("error") != "invalid_request" {
			t.Errorf("a proof of another key than dpop_jkt: %d %v", a.Status, a.JSON)
		}
		if a := push("", key.atToken(t)); a.Status != 400 || a.Text("error") != dpop.CodeProof {
			t.Errorf("a proof for the token endpoint: %d %v", a.Status, a.JSON)
		}
		location, err := b.Get(t, h.AuthorizeURL(client, url.Values{"dpop_jkt": {"x"}})).Location()
		if err != nil || location.Query().Get("error") != "invalid_request" {
			t.Errorf("no thumbprint: %v, %v", location, err)
		}
	})
}

// An app with a library that we did not write has its tokens bound, with a nonce where the server demands one.
func TestNodeClientWithAKey(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, nonce := range []bool{false, true} {
			runNodeClient(t, h, "dpop", "", h.AddClient(t, func(c *clients.Client) {
				c.AuthMethod, c.DPoPBound, c.DPoPNonce = clients.AuthBasic, true, nonce
			}))
		}
	})
}

// An app that takes to the profile while an answer is lost gets the refresh token that it has lost, which stays from
// then on.
func TestProfileAfterALostAnswer(t *testing.T) {
	t.Parallel()
	_, keys := harness.NewClientKey(t)
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.JWKS = keys })
		first := h.Redeem(t, client, h.NewBrowser(t).Code(t, client, nil)).Text("refresh_token")
		lost := h.Refresh(t, client, first).Text("refresh_token")
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Table("clients").Set("profile = ?", clients.ProfileFAPI2).
				Where("id = ?", client.ID).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		at := h.Replica(t) // which remembers nothing of the client
		if a := at.Refresh(t, client, first); a.Text("refresh_token") != lost {
			t.Errorf("a repeat: %d %v", a.Status, a.JSON)
		}
		if a := at.Refresh(t, client, lost); a.Text("refresh_token") != lost {
			t.Errorf("from then on: %d %v", a.Status, a.JSON)
		}
	})
}

// An app of the FAPI 2.0 Security Profile works with a library that we did not write, and not otherwise.
func TestNodeClientOfFAPI2(t *testing.T) {
	t.Parallel()
	key, keys := harness.NewClientKey(t)
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		runNodeClient(t, h, "fapi2", key, h.AddClient(t, func(c *clients.Client) {
			c.Profile, c.AuthMethod, c.JWKS = clients.ProfileFAPI2, "", keys
		}))
	})
}
