package commands

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Providers come and go beside a running server, which knows of them within seconds.
func TestProviderCommands(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line = append(line, "WICKET_GITHUB_CLIENT_ID=wicket-at-github", "WICKET_GITHUB_CLIENT_SECRET="+harness.UpstreamSecret)
		running := line.Serve(t, issuer)
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(harness.UpstreamSecret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var added server.ProviderView
		line.JSON(t, &added, harness.UpstreamSecret, "provider", "add", "oidc", "--id", "acme", "--name", "Acme Works", "--issuer", "https://login.acme.example", "--client-id", "wicket", "--client-secret-stdin",
			"--registration", "--emails", "proved", "--domain", "acme.example", "--domain", "acme.org", "--profile",
			"nickname=department", "--role", "billing:read=groups=Money People", "--role",
			"admin=https://acme.example/is_admin=true",
			"--scope", "openid profile", "--scope", "groups", "--trust-amr", "--multi-factor-acr", "urn:acme:mfa", "--keep-tokens", "--allow-private")
		s := added.Settings
		if added.ID != "acme" || added.RedirectURI != issuer+"/federation/acme/callback" ||
			added.LogoutURI != issuer+"/federation/acme/logout" || !added.IsActive || !s.Registration || len(s.Domains) != 2 ||
			s.Profile["nickname"] != "department" || len(s.Roles) != 2 ||
			s.Roles[0] != (federation.RoleRule{Role: "billing:read", Claim: "groups", Value: "Money People"}) ||
			strings.Join(s.Scopes, " ") != "openid profile groups" || !s.TrustAMR || s.MultiFactor != "urn:acme:mfa" ||
			!s.KeepTokens || !s.AllowPrivate {
			t.Errorf("added: %+v", added)
		}
		line.JSON(
			t, &added, "", "provider", "add", "microsoft", "--id", "contoso", "--tenant", harness.UpstreamTenant, "--client-id",
			"wicket", "--client-secret-file", file,
		)
		if added.Name != "Microsoft" || added.Settings.Tenant != harness.UpstreamTenant ||
			added.Settings.Emails != federation.EmailsUnproved {
			t.Errorf("added: %+v", added)
		}
		var listed []server.ProviderView
		line.JSON(t, &listed, "", "provider", "list")
		if len(listed) != 3 || listed[0].ID != "github" || !listed[0].Named || listed[0].LogoutURI != "" ||
			listed[1].ID != "acme" || listed[2].ID != "contoso" {
			t.Errorf("listed: %+v", listed)
		}
		buttons := func() string {
			t.Helper()
			response, err := http.Get(issuer + "/sign-in")
			return harness.ReadPage(t, response, err).Text
		}
		for _, want := range []string{"Sign in with GitHub"} { // the others within seconds
			if shown := buttons(); !strings.Contains(shown, want) {
				t.Errorf("no %s:\n%s", want, shown)
			}
		}
		for _, c := range []struct {
			arguments []string
			want      string
		}{
			{[]string{
				"add", "oidc", "--id", "acme", "--name", "x", "--issuer", "https://x.example", "--client-id", "x",
				"--client-secret-file", file,
			}, "there is a provider with this id already"},
			{[]string{"add", "github", "--client-id", "x", "--client-secret-file", file}, "which variables name"},
			{[]string{
				"add", "oidc", "--name", "x", "--issuer", "https://x.example", "--client-id", "x",
			}, "give the client secret with"},
			{[]string{
				"add", "oidc", "--name", "x", "--issuer", "http://x.example", "--client-id", "x", "--client-secret-file", file,
			}, "must begin with https://"},
			{[]string{
				"add", "oidc", "--name", "x", "--issuer", "https://x.example", "--client-id", "x", "--client-secret-file", file,
				"--role", "admin",
			}, "must be ROLE=CLAIM=VALUE"},
			{[]string{"add", "saml", "--client-id", "x", "--client-secret-file", file}, "must be one of"},
			{[]string{"disable", "nobody"}, "there is no provider"},
			{[]string{"disable", "github"}, "is changed by them"},
			{[]string{"remove", "nobody"}, "there is no provider"},
			{[]string{"tokens", "acme", "nobody"}, "nobody is registered as"},
		} {
			p := line.Run(t, "", append([]string{"provider"}, c.arguments...)...)
			if p.ProcessState.ExitCode() == 0 || !strings.Contains(p.ErrOut.String(), c.want) {
				t.Errorf("%v: %s", c.arguments, &p.ErrOut)
			}
		}
		var status map[string]string
		for _, c := range []struct{ command, want string }{
			{"disable", "off"}, {"enable", "on"}, {"remove", "removed with 0 links"},
		} {
			if line.JSON(t, &status, "", "provider", c.command, "acme"); status["status"] != c.want {
				t.Errorf("%s: %v", c.command, status)
			}
		}
		var entries []struct{ Entity, Action string }
		line.JSON(t, &entries, "", "audit", "list", "--entity", "provider")
		if len(entries) != 5 {
			t.Errorf("the audit trail: %+v", entries)
		}
		running.Interrupt(t)
		running.NoFaults(t)
	})
}

// The example of the documentation is taken as it stands, and what is listed can be declared.
func TestDeclaredProviders(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../../docs/federation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	secret := passwordFile(t, "s3cret")
	line, _ := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	declared := append(line, "WICKET_PROVIDERS="+strings.ReplaceAll(example, "/etc/wicket/providers/acme", secret))
	listed := declared.Run(t, "", "provider", "list", "-o", "json").Out.String()
	if !strings.Contains(listed, `"id": "acme"`) || !strings.Contains(listed, `"value": "wicket-admins"`) ||
		strings.Contains(listed, "s3cret") {
		t.Errorf("declared: %s", listed)
	}
	again := append(
		line,
		"WICKET_PROVIDERS="+strings.Replace(listed, `"id": "acme",`, `"id": "acme", "client_secret_file": "`+secret+`",`, 1),
	)
	if got := again.Run(t, "", "provider", "list", "-o", "json").Out.String(); got != listed {
		t.Errorf("what was listed becomes %s", got)
	}
	for want, declaration := range map[string]string{
		`provider 1, "": the kind must be`:                  `[{kind: saml, client_id: c}]`,
		`provider 1, "acme": unknown field "client_secret"`: `[{id: acme, kind: oidc, client_secret: s3cret}]`,
		`provider 1, "google": a provider needs the client`: `[{kind: google, client_id: c}]`,
		`read client_secret_file: open /nowhere`:            `[{kind: google, client_id: c, client_secret_file: /nowhere}]`,
		`there are two providers with the id "google"`: `[{kind: google, client_id: c, client_secret_file: ` +
			secret + `}, {kind: google, client_id: d, client_secret_file: ` + secret + `}]`,
		"must be a list of providers, each with a kind, a clie": `acme: {}`,
	} {
		p := append(line, "WICKET_PROVIDERS="+declaration).Run(t, "", "provider", "list")
		if told := p.ErrOut.String(); p.ProcessState.ExitCode() != 1 || !strings.Contains(told, "WICKET_PROVIDERS: ") ||
			!strings.Contains(told, want) || strings.Contains(told, "s3cret") {
			t.Errorf("%s, want %q:\n%s", p.ProcessState, want, told)
		}
	}
}
