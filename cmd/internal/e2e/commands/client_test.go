package commands

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// printedClient is what commands print of an app, as far as tests look at it.
type printedClient struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	Name         string   `json:"client_name"`
	AuthMethod   string   `json:"token_endpoint_auth_method"`
	AnyMethod    bool     `json:"any_secret_method"`
	GrantTypes   []string `json:"grant_types"`
	RedirectURIs []string `json:"redirect_uris"`
	LogoutURIs   []string `json:"post_logout_redirect_uris"`
	Scope        string   `json:"scope"`
	APIs         []string `json:"apis"`
	ClientURI    string   `json:"client_uri"`
	LoginURI     string   `json:"initiate_login_uri"`
	JWKS         any      `json:"jwks"`
	JWKSURI      string   `json:"jwks_uri"`
	Trusted      bool     `json:"trusted"`
	CreatedAt    string   `json:"created_at"`
	RegisteredBy string   `json:"registered_by"`
}

// asksForToken asks for a token by client_credentials, and tells the status.
func asksForToken(t *testing.T, h *harness.Server, id, secret string) int {
	t.Helper()
	form := url.Values{"grant_type": {oidc.GrantClientCredentials}}
	client := harness.Client{Client: &clients.Client{ID: id}, Secret: secret}
	return h.Call(t, oidc.PathToken, client, form).Status
}

// Of an app that is changed, what is not named stays; what is named is replaced, or emptied.
func TestClientUpdate(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, _ := harness.NewCommandLine(t, databaseURL)
		fails := func(code int, want string, arguments ...string) {
			t.Helper()
			p := line.Run(t, "", arguments...)
			if told := p.ErrOut.String(); p.ProcessState.ExitCode() != code || !strings.Contains(told, want) {
				t.Errorf("%v: %s, want the exit status %d and %q\n%s", arguments, p.ProcessState, code, want, told)
			}
		}
		line.JSON(t, &struct{}{}, "", "api", "create", "--identifier", "https://orders.example", "--name", "Orders", "--scope", "read")
		var made, shown printedClient
		line.JSON(t, &made, "", "client", "create", "--id", "shop", "--name", "Shop", "--redirect-uri", "https://shop.example/cb",
			"--post-logout-redirect-uri", "https://shop.example/", "--client-uri", "https://shop.example", "--trusted",
			"--initiate-login-uri", "https://shop.example/in", "--api", "https://orders.example")
		update := func(arguments ...string) (is printedClient) {
			t.Helper()
			line.JSON(t, &is, "", append([]string{"client", "update", "shop"}, arguments...)...)
			shown = printedClient{}
			line.JSON(t, &shown, "", "client", "show", "shop")
			if shown.Secret != "" || shown.CreatedAt == "" || shown.RegisteredBy != "operator" {
				t.Errorf("shown: %+v", shown)
			}
			return is
		}
		same := func(what string, got, want printedClient) {
			t.Helper()
			got.Secret, got.CreatedAt, got.RegisteredBy = "", "", ""
			want.Secret = ""
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s:\n%+v, want\n%+v", what, got, want)
			}
		}
		want := made
		want.Name, want.RedirectURIs = "The shop", []string{"https://shop.example/a", "https://shop.example/b"}
		is := update("--name", "The shop", "--redirect-uri", want.RedirectURIs[0], "--redirect-uri", want.RedirectURIs[1])
		same("renamed", is, want)
		same("shown", shown, want)
		if is.Secret != "" || !is.AnyMethod {
			t.Errorf("a new secret, or one method: %+v", is)
		}
		if made.LoginURI != "https://shop.example/in" {
			t.Errorf("a login starts at %q", made.LoginURI)
		}
		want.LogoutURIs, want.APIs, want.ClientURI, want.LoginURI, want.Trusted = []string{}, []string{}, "", "", false
		same("emptied", update("--post-logout-redirect-uri", "", "--api=", "--client-uri", "", "--initiate-login-uri", "",
			"--no-trusted"), want)

		want.AuthMethod, want.AnyMethod = clients.AuthPost, false
		if is = update("--auth-method", clients.AuthPost); is.Secret != "" {
			t.Error("another method of the secret makes another secret")
		}
		same("one method", is, want)
		want.AuthMethod = clients.AuthNone
		same("public", update("--public"), want)
		want.AuthMethod, want.AnyMethod = clients.AuthBasic, true
		is = update("--no-public")
		same("with a secret again", is, want)
		if is.Secret == "" || is.Secret == made.Secret {
			t.Errorf("the new secret is %q", is.Secret)
		}
		same("it has one already", update("--no-public"), want)

		keys := t.TempDir() + "/keys.json"
		const set = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
		if err := os.WriteFile(keys, []byte(set), 0o600); err != nil {
			t.Fatal(err)
		}
		is = update("--auth-method", clients.AuthPrivateKeyJWT, "--jwks", keys)
		if is.JWKS == nil || is.AnyMethod || is.Secret != "" {
			t.Errorf("with keys: %+v", is)
		}
		if is = update("--jwks-uri", "https://shop.example/keys"); is.JWKS != nil || is.JWKSURI == "" {
			t.Errorf("with a URL of keys: %+v", is)
		}
		fails(1, "public keys", "client", "update", "shop", "--jwks-uri", "")
		fails(1, "at least one redirect URI", "client", "update", "shop", "--redirect-uri", "")
		fails(1, "needs a name", "client", "update", "shop", "--name", "")
		fails(2, "--public means", "client", "update", "shop", "--public", "--auth-method", clients.AuthBasic)
		fails(2, "--public means", "client", "update", "shop", "--no-public", "--auth-method", clients.AuthNone)
		fails(2, "no such file", "client", "update", "shop", "--jwks", keys+"x")
		fails(3, "there is no API", "client", "update", "shop", "--api", "urn:else")
		fails(3, "there is no app", "client", "update", "nobody", "--name", "Nobody")
		fails(3, "there is no app", "client", "show", "nobody")
		var told struct {
			SubjectType string `json:"subject_type"`
			Sector      string `json:"sector_identifier_uri"`
		}
		line.JSON(t, &told, "", "client", "update", "shop", "--subject-type", clients.SubjectPairwise)
		if told.SubjectType != clients.SubjectPairwise || told.Sector != "" {
			t.Errorf("with pairwise subjects: %+v", told)
		}
		fails(1, "all redirect URIs need the same host", "client", "update", "shop", "--redirect-uri", "https://shop.example/", "--redirect-uri", "https://else.example/")
		fails(1, "cannot be fetched", "client", "update", "shop", "--sector-identifier-uri", "http://127.0.0.1:1/list")
		line.JSON(t, &told, "", "client", "update", "shop", "--subject-type", "")
		if told.SubjectType != clients.SubjectPublic {
			t.Errorf("with public subjects again: %+v", told)
		}
		const forEncryption = `{"keys":[{"kty":"EC","crv":"P-256","use":"enc",
			"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
		if err := os.WriteFile(keys, []byte(forEncryption), 0o600); err != nil {
			t.Fatal(err)
		}
		var secret struct {
			Alg string `json:"id_token_encrypted_response_alg"`
			Enc string `json:"id_token_encrypted_response_enc"`
		}
		line.JSON(t, &secret, "", "client", "update", "shop", "--jwks", keys, "--id-token-encryption-alg", "ECDH-ES",
			"--auth-method", "")
		if secret.Alg != "ECDH-ES" || secret.Enc != "A128CBC-HS256" {
			t.Errorf("with encrypted ID tokens: %+v", secret)
		}
		fails(1, "for encryption with RSA-OAEP-256", "client", "update", "shop", "--id-token-encryption-alg", "RSA-OAEP-256")
		secret.Alg, secret.Enc = "", ""
		line.JSON(t, &secret, "", "client", "update", "shop", "--id-token-encryption-alg", "")
		if secret.Alg+secret.Enc != "" {
			t.Errorf("without: %+v", secret)
		}
		text := line.Run(t, "", "client", "show", "shop").Out.String()
		if !strings.Contains(text, "redirect_uris                        https://shop.example/a https://shop.example/b\n") {
			t.Errorf("shown:\n%s", text)
		}
	})
}

// While a secret is rotated both are good at a running server. An app that was deleted and made again works at once.
func TestClientSecrets(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		create := []string{"client", "create", "--id", "shop", "--name", "Shop", "--grant-type", oidc.GrantClientCredentials}
		asks := func(what, secret string, want int) {
			t.Helper()
			if got := asksForToken(t, h, "shop", secret); got != want {
				t.Errorf("%s: the status is %d, want %d", what, got, want)
			}
		}
		var made, again, rotated printedClient
		line.JSON(t, &made, "", create...)
		asks("made", made.Secret, http.StatusOK)
		line.JSON(t, &struct{}{}, "", "client", "delete", "shop")
		line.JSON(t, &again, "", create...)
		asks("made again", again.Secret, http.StatusOK)
		asks("with the secret of before", made.Secret, http.StatusUnauthorized)

		line.JSON(t, &rotated, "", "client", "rotate-secret", "shop", "--keep-old", "1h")
		asks("the old secret", again.Secret, http.StatusOK)
		for deadline := time.Now().Add(10 * time.Second); asksForToken(t, h, "shop", rotated.Secret) != http.StatusOK; {
			if time.Now().After(deadline) { // the server looked for another secret just now, and may so once a second
				t.Fatal("the new secret is not good")
			}
		}
		for arguments, code := range map[string]int{
			"client rotate-secret nobody": codeNotFound, "client rotate-secret shop --keep-old -1h": codeUsage,
		} {
			if p := line.Run(t, "", strings.Fields(arguments)...); p.ProcessState.ExitCode() != code {
				t.Errorf("%s: %s\n%s", arguments, p.ProcessState, &p.ErrOut)
			}
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
