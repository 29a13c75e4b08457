package commands

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The operator's commands work beside a running server, and it heeds them.
func TestCommandsBesideARunningServer(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel() // it waits most of the time: after each wrong password a little longer
		line, issuer := harness.NewCommandLine(t, databaseURL)
		server := line.Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}

		t.Run("client", func(t *testing.T) {
			var app struct {
				ID           string   `json:"client_id"`
				Secret       string   `json:"client_secret"`
				AuthMethod   string   `json:"token_endpoint_auth_method"`
				RedirectURIs []string `json:"redirect_uris"`
				LogoutURIs   []string `json:"post_logout_redirect_uris"`
				GrantTypes   []string `json:"grant_types"`
				Scope        string   `json:"scope"`
				Trusted      bool     `json:"trusted"`
			}
			uris := []string{"https://app.example/callback?a=1,2", "https://app.example/other"}
			line.JSON(t, &app, "", "client", "create", "--name", "Shop", "--redirect-uri", uris[0], "--redirect-uri", uris[1], "--post-logout-redirect-uri", "https://app.example/",
				"--scope", "openid email", "--scope", "profile", "--auth-method", clients.AuthPost, "--grant-type", oidc.GrantCode, "--grant-type", oidc.GrantClientCredentials, "--trusted")
			if app.ID == "" || app.Secret == "" || app.AuthMethod != clients.AuthPost || !slices.Equal(app.RedirectURIs, uris) ||
				!slices.Equal(app.LogoutURIs, []string{"https://app.example/"}) ||
				!slices.Equal(app.GrantTypes, []string{oidc.GrantCode, oidc.GrantClientCredentials}) ||
				app.Scope != "openid email profile" || !app.Trusted {
				t.Errorf("created: %+v", app)
			}
			credentials := url.Values{"grant_type": {oidc.GrantClientCredentials}}
			if a := h.Call(
				t, oidc.PathToken, harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret}, credentials,
			); a.Status != http.StatusOK {
				t.Errorf("the new app asks for a token: %d %v", a.Status, a.JSON)
			}

			var spa, doomed map[string]any
			line.JSON(t, &spa, "", "client", "create", "--name", "SPA", "--public", "--redirect-uri", "http://localhost:3000/")
			var either map[string]any
			line.JSON(t, &either, "", "client", "create", "--name", "Either way", "--redirect-uri", "https://e.example/", "--id-token-claims", "minimal", "--userinfo-alg", "RS256")
			if either["token_endpoint_auth_method"] != clients.AuthBasic || either["any_secret_method"] != true ||
				either["id_token_claims"] != "minimal" || either["userinfo_signed_response_alg"] != "RS256" ||
				spa["any_secret_method"] != false || spa["id_token_claims"] != "scopes" {
				t.Errorf("created: %v, %v", either, spa)
			}
			if _, has := spa["client_secret"]; has || spa["token_endpoint_auth_method"] != clients.AuthNone {
				t.Errorf("a public client: %v", spa)
			}
			line.JSON(
				t, &doomed, "", "client", "create", "--name", "Doomed", "--auth-method", clients.AuthPost, "--grant-type",
				oidc.GrantClientCredentials,
			)
			list := line.Run(t, "", "client", "list", "-o", "json")
			for _, id := range []any{app.ID, spa["client_id"], doomed["client_id"]} {
				if !strings.Contains(list.Out.String(), fmt.Sprintf(`"client_id": "%s"`, id)) {
					t.Errorf("the list lacks %v:\n%s", id, &list.Out)
				}
			}
			if strings.Contains(list.Out.String(), "secret_hash") || strings.Contains(list.Out.String(), app.Secret) {
				t.Errorf("the list tells a secret:\n%s", &list.Out)
			}
			id := doomed["client_id"].(string)
			line.JSON(t, &map[string]any{}, "", "client", "delete", id)
			if a := h.Call(
				t, oidc.PathToken, harness.Client{Client: &clients.Client{ID: id}, Secret: doomed["client_secret"].(string)},
				credentials,
			); a.Status != http.StatusUnauthorized || a.Text("error") != "invalid_client" {
				t.Errorf("a deleted app asks for a token: %d %v", a.Status, a.JSON)
			}
		})

		t.Run("user", func(t *testing.T) {
			var user harness.PrintedUser
			line.JSON(
				t, &user, harness.Password+"\n", "user", "create", "--username", harness.Username, "--email", harness.Email,
				"--email-verified", "--name", "Alice Example", "--password-stdin",
			)
			if user.Username != harness.Username || !user.IsActive || user.SessionVersion != 1 || user.LastLoginAt != nil {
				t.Errorf("created: %+v", user)
			}
			b := h.NewBrowser(t)
			signsIn := func(want bool) {
				t.Helper()
				if shown := b.SignIn(t, harness.Page{}); strings.Contains(shown.Text, `id="sign-out"`) != want {
					t.Errorf("can sign in: %t, want %t (%s)", !want, want, shown.Status)
				}
			}
			signsIn(true)
			line.JSON(t, &user, "", "user", "logout", user.ID.String())
			if user.SessionVersion != 2 || user.LastLoginAt == nil {
				t.Errorf("after logout: %+v", user)
			}
			if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
				t.Error("after logout the browser is still signed in")
			}
			line.JSON(t, &user, "", "user", "disable", harness.Email)
			if user.IsActive {
				t.Errorf("after disable: %+v", user)
			}
			signsIn(false)
			line.JSON(t, &user, "", "user", "enable", harness.Username)
			signsIn(true)
			for range 10 {
				b.Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {"wrong password"}})
			}
			signsIn(false)
			var users []harness.PrintedUser
			if line.JSON(t, &users, "", "user", "list"); len(users) != 1 || users[0].ID != user.ID ||
				users[0].LockedUntil == nil {
				t.Errorf("the list of a locked user: %+v", users)
			}
			if line.JSON(t, &user, "", "user", "unlock", harness.Username); user.LockedUntil != nil {
				t.Errorf("after unlock: %+v", user)
			}
			signsIn(true)
		})

		t.Run("invite", func(t *testing.T) {
			told := func(settings ...string) string {
				return append(line[:len(line):len(line)], settings...).
					Run(t, "", "user", "invite", "--email", "carl@example.com").
					Out.String()
			}
			if without, with := told(), told(
				"WICKET_SMTP_URL=smtp://127.0.0.1:1?from=id@example.com",
			); !strings.Contains(without, "Hand the link on to carl@example.com") || !strings.Contains(with, "is being mailed to carl@example.com") {
				t.Errorf("without a mail server:\n%swith one:\n%s", without, with)
			}
			var invitation harness.PrintedInvitation
			line.JSON(t, &invitation, "", "user", "invite", "--email", "dora@example.com", "--role", "clerk", "--for", "24h")
			if !strings.HasPrefix(invitation.Link, issuer+"/register?token=") ||
				invitation.ExpiresAt.Before(time.Now().Add(23*time.Hour)) {
				t.Fatalf("invited: %+v", invitation)
			}
			form := harness.SignUpForm(url.Values{"username": {"dora"}, "email": {"dora@example.com"}})
			if shown := h.NewBrowser(t).FollowLink(t, invitation.Link, form); shown.StatusCode != http.StatusOK ||
				shown.Request.URL.Path != "/account" {
				t.Errorf("by the link: %s %s", shown.Status, shown.Request.URL)
			}
			var roles []map[string]any
			if line.JSON(t, &roles, "", "role", "list", "dora@example.com"); len(roles) != 1 || roles[0]["role"] != "clerk" {
				t.Errorf("the newcomer holds %v", roles)
			}
		})

		t.Run("key", func(t *testing.T) {
			var before, planned, during, leaked, after []harness.PrintedKey
			line.JSON(t, &before, "", "key", "list")
			line.JSON(t, &planned, "", "key", "rotate")
			line.JSON(t, &during, "", "key", "list")
			line.JSON(t, &leaked, "", "key", "rotate", "--leaked")
			line.JSON(t, &after, "", "key", "list")
			if n := len(before); n == 0 || len(planned) != n || len(during) != 2*n || len(leaked) != n || len(after) != 3*n {
				t.Fatalf(
					"%d keys, %d planned, %d then, %d after a leak, %d then", n, len(planned), len(during), len(leaked), len(after),
				)
			}
			now := time.Now()
			soon := now.Add(10 * time.Second) // when all servers know
			isPublished := func(keys []harness.PrintedKey, kid string, at time.Time) bool {
				i := slices.IndexFunc(keys, func(k harness.PrintedKey) bool { return k.KID == kid })
				return i >= 0 && (keys[i].PublishedUntil == nil || keys[i].PublishedUntil.After(at))
			}
			for i := range before {
				if !planned[i].SignsFrom.After(now) || !isPublished(during, planned[i].KID, now) ||
					!isPublished(during, before[i].KID, now) {
					t.Errorf("after rotate the keys are %+v", during)
				}
				if leaked[i].SignsFrom.After(soon) || !isPublished(after, leaked[i].KID, soon) ||
					isPublished(after, planned[i].KID, soon) || isPublished(after, before[i].KID, soon) {
					t.Errorf("after rotate --leaked the keys are %+v", after)
				}
			}
		})

		t.Run("key of encryption", func(t *testing.T) {
			var before, leaked, one, after []harness.PrintedKey
			line.JSON(t, &before, "", "key", "list")
			line.JSON(t, &struct{}{}, "", "client", "create", "--name", "Discreet", "--redirect-uri", "https://discreet.example/cb",
				"--jwks-uri", "https://discreet.example/jwks", "--request-object-encryption-alg", "ECDH-ES")
			line.JSON(t, &leaked, "", "key", "rotate", "--leaked")
			line.JSON(t, &one, "", "key", "rotate", "--alg", "ECDH-ES")
			line.JSON(t, &after, "", "key", "list")
			isEncryption := func(k harness.PrintedKey) bool { return k.Use == "enc" && k.Alg == "ECDH-ES" }
			if slices.ContainsFunc(before, isEncryption) || !slices.ContainsFunc(leaked, isEncryption) ||
				len(one) != 1 || !isEncryption(one[0]) {
				t.Errorf("before %+v, all %+v, one %+v", before, leaked, one)
			}
			if n := len(slices.DeleteFunc(after, func(k harness.PrintedKey) bool { return !isEncryption(k) })); n != 3 {
				t.Errorf("%d keys in the end", n)
			}
		})

		server.Interrupt(t)
		server.NoFaults(t)
	})
}

func TestMigrateCommand(t *testing.T) {
	t.Parallel()
	for kind, empty := range map[storage.Kind]func(testing.TB) string{
		storage.SQLite:   func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/wicket.db" },
		storage.Postgres: storagetest.EmptyPostgres,
	} {
		t.Run(string(kind), func(t *testing.T) {
			line, issuer := harness.NewCommandLine(t, empty(t))
			type step struct {
				Version int64
				Name    string
			}
			refused := append(line, "WICKET_MIGRATE=off").Run(t, "", "serve")
			if want := "run wicket migrate first"; refused.ProcessState.ExitCode() != 1 ||
				!strings.Contains(refused.ErrOut.String(), want) {
				t.Errorf("serve on an empty database with WICKET_MIGRATE=off: %s\n%s", refused.ProcessState, &refused.ErrOut)
			}
			var planned, stillPlanned, done, none []step
			line.JSON(t, &planned, "", "migrate", "--dry-run")
			line.JSON(t, &stillPlanned, "", "migrate", "--dry-run")
			line.JSON(t, &done, "", "migrate")
			line.JSON(t, &none, "", "migrate")
			if len(planned) == 0 || !slices.Equal(planned, stillPlanned) || !slices.Equal(planned, done) || none == nil ||
				len(none) != 0 {
				t.Errorf("planned %v, planned again %v, done %v, then %v", planned, stillPlanned, done, none)
			}
			if text := line.Run(t, "", "migrate").Out.String(); text != "The database is up to date.\n" {
				t.Errorf("migrate once more says %q", text)
			}
			append(line, "WICKET_MIGRATE=off").Serve(t, issuer).Interrupt(t)
		})
	}
}

// A command that fails says why on stderr and nothing on stdout; its exit status tells a wrong command line, what is
// not there and what is in the way from everything else.
func TestCommandErrors(t *testing.T) {
	t.Parallel()
	line, _ := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	line.JSON(
		t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
		harness.Email, "--email-verified", "--password-stdin",
	)
	line.JSON(t, &[]harness.PrintedKey{}, "", "key", "rotate")
	line.JSON(
		t, &struct{}{}, "", "client", "create", "--id", "taken", "--name", "First", "--redirect-uri", "https://app.example/",
	)
	jwks := t.TempDir() + "/jwks.json"
	if err := os.WriteFile(jwks, []byte("no JSON"), 0o600); err != nil {
		t.Fatal(err)
	}
	const noID = "00000000-0000-0000-0000-000000000000"
	create := func(more ...string) []string { return append([]string{"client", "create", "--name", "App"}, more...) }
	for _, c := range []struct {
		arguments []string
		stdin     string
		variable  string
		want      string
		code      int // left out: codeFailed
	}{
		{arguments: []string{"open"}, want: "unexpected argument open", code: codeUsage},
		{arguments: []string{"client", "create"}, want: "missing flags: --name", code: codeUsage},
		{arguments: create(), want: "redirect"},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--id", "taken",
		), want: "exists already", code: codeConflict},
		{arguments: create("--redirect-uri", "/callback"), want: "/callback"},
		{arguments: create("--redirect-uri", "https://app.example/#top"), want: "#top"},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--public", "--auth-method", "client_secret_basic",
		), want: "--public means --auth-method none", code: codeUsage},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--auth-method", "magic",
		), want: "authentication method"},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--redirect-uri", "http://127.0.0.1/cb", "--public", "--trusted",
		), want: `cannot be trusted with the redirect URI "http://127.0.0.1/cb"`},
		{arguments: create("--redirect-uri", "https://app.example/", "--grant-type", "password"), want: "grant type"},
		{arguments: create("--redirect-uri", "https://app.example/", "--required-acr", "loa9"), want: "urn:wicket:acr:mfa"},
		{arguments: create("--redirect-uri", "https://app.example/", "--id-token-alg", "none"), want: "algorithm"},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--auth-method", "private_key_jwt",
		), want: "public keys"},
		{arguments: create(
			"--redirect-uri", "https://app.example/", "--auth-method", "private_key_jwt", "--jwks", jwks,
		), want: "JWK"},
		{arguments: []string{"client", "delete", "nobody"}, want: "nobody", code: codeNotFound},
		{arguments: []string{
			"user", "create", "--username", strings.ToUpper(harness.Username),
		}, want: "this username is taken", code: codeConflict},
		{arguments: []string{
			"user", "create", "--username", "bob", "--email", harness.Email, "--email-verified",
		}, want: "address", code: codeConflict},
		{arguments: []string{"user", "create", "--username", "bob@example.com"}, want: "a username has"},
		{arguments: []string{
			"user", "create", "--username", "bob", "--password-stdin",
		}, want: "standard input holds no password"},
		{arguments: []string{"user", "create", "--username", "bob", "--password-stdin"}, stdin: "12345\n", want: "password"},
		{arguments: []string{"user", "create", "--username", "bob", "--role", "clerk", "--role", "bad role"}, want: "role name"},
		{arguments: []string{
			"user", "create", "--username", "bob", "--role", "clerk", "--role", "clerk",
		}, want: "holds the role", code: codeConflict},
		{arguments: []string{"user", "invite", "--email", "nobody"}, want: "e-mail address"},
		{arguments: []string{"user", "invite", "--role", "two words"}, want: "role name"},
		{arguments: []string{"user", "invite", "--for", "-1h"}, want: "--for", code: codeUsage},
		{arguments: []string{"user", "disable", "bob"}, want: `nobody is registered as "bob"`, code: codeNotFound},
		{arguments: []string{
			"user", "unlock", noID,
		}, want: "nobody is registered", code: codeNotFound},
		{arguments: []string{"user", "logout"}, want: `expected "<user>"`, code: codeUsage},
		{arguments: []string{"session", "list", "bob"}, want: "nobody is registered", code: codeNotFound},
		{arguments: []string{"session", "end"}, want: "either the id of a session", code: codeUsage},
		{arguments: []string{"session", "end", "one"}, want: "invalid UUID", code: codeUsage},
		{arguments: []string{"session", "end", noID}, want: "no session with the id", code: codeNotFound},
		{arguments: []string{"grant", "list"}, want: "name a person, or an app", code: codeUsage},
		{arguments: []string{"grant", "list", "--client", "nobody"}, want: "nobody", code: codeNotFound},
		{arguments: []string{"grant", "revoke", "one"}, want: "invalid UUID", code: codeUsage},
		{arguments: []string{"grant", "revoke", "--user", harness.Username}, want: "--user and --client", code: codeUsage},
		{arguments: []string{"grant", "revoke", noID}, want: "no grant with the id", code: codeNotFound},
		{arguments: []string{
			"grant", "revoke", "--user", harness.Username, "--client", "taken",
		}, want: "holds nothing of", code: codeNotFound},
		{arguments: []string{"key", "list"}, variable: "WICKET_DATABASE_URL=mysql://secret@host/", want: "WICKET_DATABASE_URL: "},
		{arguments: []string{"key", "list"}, variable: "WICKET_DATABASE_URL=postgres://wicket:secret@127.0.0.1:1/wicket", want: "WICKET_DATABASE_URL: "},
		{arguments: []string{"key", "rotate"}, variable: "WICKET_SECRET=" + seal.NewMasterKey(), want: "master key"},
		{arguments: []string{"key", "list"}, variable: "WICKET_SECRET=c2VjcmV0", want: "WICKET_SECRET: "},
		{arguments: []string{"serve"}, variable: "WICKET_ISSUER=https://id.example/tenant", want: "WICKET_ISSUER: "},
		{arguments: []string{"serve"}, variable: "WICKET_LISTEN=nowhere:port", want: "WICKET_LISTEN: "},
		{arguments: []string{"serve"}, variable: "WICKET_KEEP_AUDIT_TRAIL=3d", want: "WICKET_KEEP_AUDIT_TRAIL: must be forever, or a number of days"},
		{arguments: []string{"serve"}, variable: "WICKET_KEEP_LOGIN_ATTEMPTS=400", want: "WICKET_KEEP_LOGIN_ATTEMPTS: must be"},
		{arguments: []string{"migrate"}, variable: "WICKET_MIGRATE=perhaps", want: "WICKET_MIGRATE: must be auto or off"},
	} {
		t.Run(strings.Join(append(c.arguments, c.variable), " "), func(t *testing.T) {
			p := append(slices.Clip(line), c.variable).Run(t, c.stdin, append(c.arguments, "-o", "json")...)
			if c.code == 0 {
				c.code = codeFailed
			}
			if p.ProcessState.ExitCode() != c.code || p.Out.Len() > 0 || !strings.Contains(p.ErrOut.String(), c.want) ||
				strings.Contains(p.ErrOut.String(), "secret@") {
				t.Errorf(
					"%s, want the exit status %d and %q on stderr alone\nstdout: %s\nstderr: %s", p.ProcessState, c.code, c.want,
					&p.Out, &p.ErrOut,
				)
			}
		})
	}
	var clients []any
	var users []harness.PrintedUser
	line.JSON(t, &clients, "", "client", "list")
	line.JSON(t, &users, "", "user", "list")
	if len(clients) != 1 || len(users) != 1 {
		t.Errorf("the failures left something behind: %v, %v", clients, users)
	}
	help := line.Run(t, "", "client", "create", "--help")
	if help.ProcessState.ExitCode() != 0 || !strings.Contains(help.Out.String(), "--redirect-uri") {
		t.Errorf("--help: %s\n%s%s", help.ProcessState, &help.Out, &help.ErrOut)
	}
}
