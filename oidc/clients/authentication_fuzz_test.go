package clients_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// An app with a secret is let in by its id and its secret in the place that it is registered for, and by nothing else;
// what else stands in the header or the form is refused, and no fault. %S is the secret.
func FuzzClientSecret(f *testing.F) {
	h := oidctest.New(f, storagetest.Open(f, storage.SQLite))
	secrets := make(map[string]string)
	for method, id := range map[string]string{
		clients.AuthBasic: "basic", clients.AuthPost: "post", clients.AuthNone: "public", "": "either",
	} {
		app := &clients.Client{ID: id, Name: id, AuthMethod: method, RedirectURIs: []string{"https://app.example/callback"}}
		secrets[id] = h.Add(f, app)
	}
	for _, seed := range []string{
		"Basic basic:%S|", "basic basic:%S|", "Basic  basic:%S|", "Basic basic:|", "Basic :|", "Basic basic|", "Basic post:%S|", "Basic public:|", "Basic basic%2F:%S|", "Basic %62asic:%S|", "Basic basic:%S%00|",
		"Basic basic:%S|client_id=basic", "Basic basic:%S|client_id=post", "Basic basic:%S|client_id=basic&client_secret=%S", "|client_id=post&client_secret=%S", "|client_id=post&client_secret=", "|client_id=post",
		"|client_id=public", "|client_id=public&client_secret=x", "|client_id=basic&client_secret=%S", "|client_id=%00", "|client_id=%ff", "|client_id=post&client_id=basic&client_secret=%S", "Bearer x|client_id=public", "|",
		"Basic basic:%zz|", "Basic ba:sic:%S|", "Basic either:%S|", "|client_id=either&client_secret=%S", "Basic either:%S|client_id=either&client_secret=%S", "|client_id=either", "Basic basic:%S:|", "Digest username=basic|client_id=public", "|client_assertion=x&client_id=public", "|client_assertion_type=x&client_assertion=x.y.z",
	} {
		header, form, _ := strings.Cut(seed, "|")
		f.Add(header, form)
	}
	f.Fuzz(func(t *testing.T, header, form string) {
		scheme, credentials, _ := strings.Cut(header, " ")
		parsed, err := url.ParseQuery(form)
		if err != nil || len(credentials) > 10_000 {
			return
		}
		id, _, _ := strings.Cut(credentials, ":")
		if id == "" {
			id = parsed.Get("client_id")
		}
		credentials = strings.ReplaceAll(credentials, "%S", secrets[id])
		for _, values := range parsed {
			for n := range values {
				values[n] = strings.ReplaceAll(values[n], "%S", secrets[id])
			}
		}
		if oidc.CheckForm(parsed) != nil { // as the endpoints do first
			return
		}
		if parsed, err = oidc.Parameters(parsed); err != nil {
			return
		}
		request := oidc.Request{Header: http.Header{}, Form: parsed}
		if header != "" {
			request.Header.Set("Authorization", scheme+" "+base64.StdEncoding.EncodeToString([]byte(credentials)))
		}
		client, err := h.Clients.Admit(t.Context(), "token", request)
		var refused *oidc.Error
		if errors.As(err, &refused) {
			if refused.Status >= 500 || client != nil {
				t.Fatalf("%q and %q: %v", header, form, err)
			}
			for _, secret := range secrets {
				if secret != "" && strings.Contains(refused.Error()+refused.Description, secret) {
					t.Fatalf("%q and %q: the secret is repeated: %v", header, form, err)
				}
			}
			return
		}
		if err != nil && client == nil {
			t.Fatalf("%q and %q: a fault: %v", header, form, err)
		}
		basic := strings.EqualFold(scheme, "Basic")
		said, secret, _ := strings.Cut(credentials, ":")
		said, _ = url.QueryUnescape(said)
		secret, _ = url.QueryUnescape(secret)
		switch client.ID {
		case "basic":
			if !basic || said != "basic" || secret != secrets["basic"] || parsed.Get("client_secret") != "" {
				t.Fatalf("%q and %q are let in", header, form)
			}
		case "post":
			if basic || parsed.Get("client_id") != "post" || parsed.Get("client_secret") != secrets["post"] {
				t.Fatalf("%q and %q are let in", header, form)
			}
		case "either":
			byHeader := basic && said == "either" && secret == secrets["either"] && parsed.Get("client_secret") == ""
			byForm := !basic && parsed.Get("client_id") == "either" && parsed.Get("client_secret") == secrets["either"]
			if !byHeader && !byForm {
				t.Fatalf("%q and %q are let in", header, form)
			}
		default:
			if basic || parsed.Get("client_id") != "public" || parsed.Get("client_secret") != "" || client.ID != "public" {
				t.Fatalf("%q and %q are let in as %s", header, form, client.ID)
			}
		}
	})
}

// Of what an app publishes as its keys nothing is taken but public keys that verify a signature of ours: neither a
// private or a shared one, nor one that makes the verifier fail.
func FuzzKeySet(f *testing.F) {
	const ec = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	const ed = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for _, key := range []string{
		ec, ed, `{}`, `null`, `[]`, `{"kty":"oct","k":"AAAA"}`, `{"kty":"EC"}`, `{"kty":"X"}`, `{"kty":7}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","n":"","e":""}`, `{"kty":"RSA","n":"AA","e":"AA"}`,
		strings.Replace(ec, `"x"`, `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","x"`, 1), strings.Replace(ec, "f83", "AAA", 1), strings.Replace(ed, "Ed25519", "X25519", 1), strings.Replace(ec, `"kty"`, `"kid":"\u0000","use":"enc","alg":"none","kty"`, 1),
		strings.Replace(ec, `"kty"`, `"x5c":["AAAA"],"kty"`, 1), strings.Replace(ec, "P-256", "P-521", 1), strings.Replace(ec, `"kty"`, `"x5u":"http://127.0.0.1/","kty"`, 1),
	} {
		f.Add([]byte(`{"keys":[`+key+`]}`), `{"alg":"ES256"}`)
		f.Add([]byte(`{"keys":[`+ec+`,`+key+`]}`), `{"alg":"EdDSA","kid":"x"}`)
	}
	for _, set := range []string{"", "null", "[]", "{}", `{"keys":null}`, `{"keys":{}}`, `{"KEYS":[` + ec + `]}`, `{"keys":[` + strings.Repeat(ec+",", 50) + ec + `]}`} {
		f.Add([]byte(set), `{"alg":"RS256"}`)
	}
	f.Fuzz(func(t *testing.T, set []byte, header string) {
		kept, err := clients.ReadKeySet(set)
		if err != nil {
			if len(kept) > 0 {
				t.Fatalf("%s is refused, and kept", set)
			}
			return
		}
		if len(kept) == 0 {
			t.Fatalf("%s has no keys, and is accepted", set)
		}
		for _, key := range kept {
			encoded, err := json.Marshal(key)
			if err != nil {
				t.Fatalf("%s holds a key that cannot be written: %v", set, err)
			}
			var members map[string]any
			_ = json.Unmarshal(encoded, &members)
			for _, secret := range []string{"d", "p", "q", "k"} {
				if members[secret] != nil {
					t.Fatalf("%s: a private key is kept", set)
				}
			}
		}
		token := base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30." + strings.Repeat("A", 86)
		if clients.VerifiesBy(set, token) {
			t.Fatalf("%s verifies %s", set, token)
		}
	})
}
