package commands

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

const checkRedirect = "http://127.0.0.1/"

// checkApp is a public app, as the chart declares one for its test.
func checkApp(c *clients.Client) {
	c.ID, c.Name, c.AuthMethod, c.RedirectURIs = "wicket-check", "wicket check", clients.AuthNone, []string{checkRedirect}
}

func passwordFile(t testing.TB, password string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A check looks, signs in with consent, and leaves no session behind.
func TestCheck(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.AddClient(t, checkApp)
		confidential := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthBasic })
		person := []string{"--username", harness.Username, "--password-file", passwordFile(t, harness.Password)}
		for name, c := range map[string]struct {
			arguments []string
			want      []string
		}{
			"without a person": {nil, []string{"discovery", "keys", "proxy"}},
			"a public app":     {append(person, "--client-id", "wicket-check"), []string{"discovery", "keys", "proxy", "sign-in"}},
			"a confidential app": {append(
				person, "--client-id", confidential.ID, "--redirect-uri", harness.RedirectURI, "--client-secret-file",
				passwordFile(t, confidential.Secret),
			),
				[]string{"discovery", "keys", "proxy", "sign-in"}},
		} {
			t.Run(name, func(t *testing.T) {
				var steps []harness.PrintedStep
				harness.CommandLine{}.JSON(t, &steps, "", append([]string{"check", h.Issuer}, c.arguments...)...)
				var names []string
				for _, step := range steps {
					names = append(names, step.Step)
				}
				if strings.Join(names, " ") != strings.Join(c.want, " ") {
					t.Errorf("%v, want %v", steps, c.want)
				}
				if len(c.want) == 4 && !strings.Contains(steps[3].Detail, h.User.ID.String()) {
					t.Errorf("signed in: %q, want %s", steps[3].Detail, h.User.ID)
				}
			})
		}
		if sessions, err := h.Identity.Sessions().List(t.Context(), h.User.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%d sessions are left, %v", len(sessions), err)
		}
	})
}

// Inside a cluster the public address may lead nowhere: the check reaches the server past DNS and TLS, with the cookies
// that belong to https.
func TestCheckThrough(t *testing.T) {
	t.Parallel()
	var address string
	h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) {
		address, c.Issuer = c.Issuer, "https://id.example.com"
	})
	h.AddClient(t, checkApp)
	arguments := []string{
		"check", h.Issuer, "--through", address, "--username", harness.Email, "--password-file",
		passwordFile(t, harness.Password), "--client-id", "wicket-check",
	}
	var steps []harness.PrintedStep
	if (harness.CommandLine{}).JSON(t, &steps, "", arguments...); len(steps) != 4 {
		t.Errorf("%v", steps)
	}
	if text := (harness.CommandLine{}).
		Run(t, "", arguments...).
		Out.String(); strings.Count(text, "\nok  ") != 3 || !strings.HasPrefix(text, "ok  discovery") {
		t.Errorf("for people:\n%s", text)
	}
}

// What is wrong is said with the step at which it was found, and the exit status is 1, or 2 for a wrong command line.
func TestCheckThatFails(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	h.AddClient(t, checkApp)
	right, wrong := passwordFile(t, harness.Password), passwordFile(t, "wrong password")
	person := func(password string, more ...string) []string {
		return append(
			[]string{
				"check", h.Issuer, "--username", harness.Username, "--password-file", password, "--client-id", "wicket-check",
			},
			more...,
		)
	}
	port := h.Issuer[strings.LastIndex(h.Issuer, ":"):]
	for name, c := range map[string]struct {
		arguments []string
		want      string
	}{
		"nobody answers": {[]string{"check", "http://localhost:1"}, "discovery: "},
		"another issuer": {[]string{"check", "http://127.0.0.1" + port}, "discovery: "},
		"half a person": {[]string{
			"check", h.Issuer, "--username", harness.Username,
		}, "name all of --username, --password-file and --client-id"},
		"no address":     {[]string{"check", h.Issuer, "--through", "wicket:8080"}, "--through must be an address"},
		"wrong password": {person(wrong), "sign-in: no way back to the app, but a page: This name and password do not match"},
		"unknown app":    {person(right, "--client-id", "nobody"), "sign-in: no way back to the app, but a page: "},
		"unknown redirect": {person(
			right, "--redirect-uri", "https://elsewhere.example/",
		), "sign-in: no way back to the app, but a page: "},
		"a needless secret": {person(right, "--client-secret-file", right), "sign-in: change the code for tokens: "},
	} {
		t.Run(name, func(t *testing.T) {
			p := harness.CommandLine{}.Run(t, "", append(c.arguments, "-o", "json")...)
			code := codeFailed
			if name == "half a person" || name == "no address" {
				code = codeUsage
			}
			if p.ProcessState.ExitCode() != code || p.Out.Len() > 0 || !strings.Contains(p.ErrOut.String(), c.want) {
				t.Errorf("%s, want the exit status %d and %q\n%s%s", p.ProcessState, code, c.want, &p.Out, &p.ErrOut)
			}
			if strings.Contains(p.ErrOut.String(), harness.Password) {
				t.Error("the password is told")
			}
		})
	}
	var steps []harness.PrintedStep // the person was not locked out by it
	if out := (harness.CommandLine{}).Run(
		t, "", person(right, "-o", "json")...,
	); json.Unmarshal(out.Out.Bytes(), &steps) != nil || len(steps) != 4 {
		t.Errorf("then: %s\n%s", &out.Out, &out.ErrOut)
	}
}

// A server that does not trust the proxy in front of it fails the check, with the variable to set; where the check has
// the master key, for nobody else is told.
func TestCheckThroughAnUntrustedProxy(t *testing.T) {
	t.Parallel()
	key, other := seal.NewMasterKey(), seal.NewMasterKey()
	for name, c := range map[string]struct {
		trusted []string
		key     string
		code    int
		want    string
	}{
		"untrusted":                  {nil, key, codeFailed, "proxy: WICKET_TRUSTED_PROXIES does not name the proxy"},
		"trusted":                    {[]string{"127.0.0.0/8"}, key, 0, "ok  proxy      trusted"},
		"untrusted, without the key": {nil, "", 0, "ok  proxy      not told"},
		"untrusted, another key":     {nil, other, 0, "ok  proxy      not told"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var address string
			h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(config *harness.Config) {
				address, config.Issuer, config.TrustedProxies = config.Issuer, "https://id.example.com", c.trusted
				var err error
				if config.Seal, err = seal.Parse(key); err != nil {
					t.Fatal(err)
				}
			})
			to, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
				r.Out.Header.Set("X-Forwarded-For", "203.0.113.9")
			}})
			defer proxy.Close()
			line := harness.CommandLine{"WICKET_DATABASE_URL=" + h.Config().DatabaseURL, "WICKET_ISSUER=" + h.Issuer}
			if c.key != "" {
				line = append(line, "WICKET_SECRET="+c.key)
			}
			p := line.Run(t, "", "check", h.Issuer, "--through", proxy.URL)
			said := p.Out.String() + p.ErrOut.String()
			if p.ProcessState.ExitCode() != c.code || !strings.Contains(said, c.want) {
				t.Errorf("%s, want the exit status %d and %q\n%s", p.ProcessState, c.code, c.want, said)
			}
			response, err := proxy.Client().Get(proxy.URL + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if told, err := io.ReadAll(response.Body); err != nil || string(told) != "ok\n" {
				t.Errorf("anybody is told %q, %v", told, err)
			}
		})
	}
}
