package operation

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Secrets that files hold are renewed under a running server, which heeds them within seconds.
func TestFilesAreReadAnew(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		folder := t.TempDir()
		write := func(name, content string) (path string) {
			t.Helper()
			path = filepath.Join(folder, name)
			// As Kubernetes and careful operators do: the whole file takes the place of the one before.
			if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(path+".new", path); err != nil {
				t.Fatal(err)
			}
			return path
		}
		old, master, secret := seal.NewMasterKey(), seal.NewMasterKey(), storage.NewSecret()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line = slices.DeleteFunc(line, func(variable string) bool { return strings.HasPrefix(variable, "WICKET_SECRET=") })
		line = append(line, "WICKET_SECRET_FILE="+write("master", old), "WICKET_CLIENTS_FILE="+write("clients.yaml", `
- {client_id: web, client_name: Web, token_endpoint_auth_method: client_secret_post, grant_types: [authorization_code, client_credentials], scope: openid, redirect_uris: ["`+harness.RedirectURI+`"], trusted: true, client_secret_file: `+write("web", secret)+`}`),
			"WICKET_PROVIDERS_FILE="+write("providers.yaml", "[]"))
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--password-stdin",
		)
		server := line.Serve(t, issuer)
		h, app := &harness.Server{Issuer: issuer}, harness.Client{
			Client: &clients.Client{ID: "web", AuthMethod: clients.AuthPost}, Secret: secret,
		}
		gets := func() int {
			return h.Call(t, oidc.PathToken, app, url.Values{"grant_type": {oidc.GrantClientCredentials}}).Status
		}
		if got := gets(); got != http.StatusOK {
			t.Fatalf("the first secret: %d", got)
		}

		app.Secret = storage.NewSecret()
		write("web", app.Secret)
		storagetest.Eventually(t, 30*time.Second, "the new secret of an app works", func() bool {
			return gets() == http.StatusOK
		})
		app.Secret = secret
		if got := gets(); got != http.StatusUnauthorized {
			t.Errorf("its old one: %d", got)
		}

		hangUp := func() {
			t.Helper()
			if err := server.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
		b := h.NewBrowser(t)
		offers := func(name string) func() bool {
			return func() bool { return strings.Contains(b.Get(t, "/sign-in").Text, name) }
		}
		write("acme", "s3cret")
		write(
			"providers.yaml",
			`[{"id": "acme", "kind": "oidc", "name": "Acme Works", "issuer": "https://login.acme.example", "client_id": "wicket", "client_secret_file": "`+folder+`/acme", "settings": {"registration": true}}]`,
		)
		storagetest.Eventually(t, 30*time.Second, "a provider that was declared is offered", offers("Acme Works"))

		// A master key that cannot read what there is must not be taken over, nor anything beside it.
		write("master", master)
		write(
			"providers.yaml",
			`[{"id": "other", "kind": "github", "client_id": "wicket", "client_secret_file": "`+folder+`/acme"}]`,
		)
		hangUp()
		refused := "the master key that has sealed so far is not among them"
		storagetest.Eventually(t, 30*time.Second, "the log says what is wrong", func() bool {
			return strings.Contains(server.ErrOut.String(), refused)
		})
		if !offers("Acme Works")() || gets() != http.StatusUnauthorized {
			t.Error("half of it was taken over")
		}

		// Behind the old one it may read; before it, it seals; and once nothing is left that the old one sealed, it is alone.
		take := func(ring string) {
			t.Helper()
			before := strings.Count(server.ErrOut.String(), "took over")
			write("master", ring)
			hangUp()
			storagetest.Eventually(t, 30*time.Second, "a ring of master keys is taken over", func() bool {
				return strings.Count(server.ErrOut.String(), "took over") > before
			})
		}
		take(old + "," + master)
		underOld := b.Get(t, h.AuthorizeURL(app, url.Values{"scope": {"openid"}}))
		take(master + "," + old)
		underNew := b.Get(t, h.AuthorizeURL(app, url.Values{"scope": {"openid"}}))
		take(master)
		for _, c := range []struct {
			shown harness.Page
			want  int
		}{{underOld, http.StatusBadRequest}, {underNew, http.StatusSeeOther}} {
			if got := h.NewBrowser(t).SignIn(t, c.shown); got.StatusCode != c.want {
				t.Errorf("a request that was held is answered with %s, want %d", got.Status, c.want)
			}
		}
		server.Interrupt(t)
		if log := server.ErrOut.String(); strings.Count(log, refused) != 1 || strings.Contains(log, old) ||
			strings.Contains(log, master) {
			t.Errorf("the log: %s", log)
		}
	})
}

// What files say is taken over though the database could not be asked when they changed.
func TestAReloadIsTriedAgain(t *testing.T) {
	t.Parallel()
	databaseURL, file := storagetest.URL(t, storage.SQLite), filepath.Join(t.TempDir(), "clients.yaml")
	declare := func(ids ...string) {
		t.Helper()
		text := ""
		for _, id := range ids {
			text += "- {client_id: " + id + ", client_name: X, token_endpoint_auth_method: none, redirect_uris: ['" +
				harness.RedirectURI + "']}\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	declare("first")
	line, issuer := harness.NewCommandLine(t, databaseURL)
	server := append(line, "WICKET_CLIENTS_FILE="+file).Serve(t, issuer)
	other, err := sql.Open("sqlite", strings.TrimPrefix(databaseURL, "sqlite:")+"?_txlock=immediate&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	declare("first", "second")
	storagetest.Eventually(t, time.Minute, "the log says that it failed", func() bool {
		return strings.Contains(server.ErrOut.String(), "what they said before goes on")
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	h := &harness.Server{Issuer: issuer}
	second := harness.Client{Client: &clients.Client{ID: "second"}}
	storagetest.Eventually(t, time.Minute, "it is tried again", func() bool {
		return h.NewBrowser(t).Get(t, h.AuthorizeURL(second, nil)).StatusCode != http.StatusBadRequest
	})
	server.Kill()
}

// A database URL that parses and does not work is not taken over, nor anything beside it: the log says why, once, and
// no password. It is tried again, for it may be the database that is late.
func TestADatabaseURLIsTriedFirst(t *testing.T) {
	t.Parallel()
	good, unmigrated := storagetest.URL(t, storage.Postgres), storagetest.EmptyPostgres(t)
	others := storagetest.URL(t, storage.Postgres)
	folder := t.TempDir()
	file, providers := filepath.Join(folder, "url"), filepath.Join(folder, "providers.yaml")
	declare := func(url, provider string) {
		t.Helper()
		content := `[{"id": "acme", "kind": "oidc", "name": "` + provider + `", "issuer": "https://login.acme.example", ` +
			`"client_id": "wicket", "client_secret_file": "` + file + `", "settings": {"registration": true}}]`
		for _, change := range [][2]string{{file, url}, {providers, content}} { // in this order
			if err := os.WriteFile(change[0], []byte(change[1]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	declare(good, "First")
	line, issuer := harness.NewCommandLine(t, good)
	line = slices.DeleteFunc(line, func(variable string) bool {
		return strings.HasPrefix(variable, "WICKET_DATABASE_URL=")
	})
	server := append(line, "WICKET_DATABASE_URL_FILE="+file, "WICKET_PROVIDERS_FILE="+providers).Serve(t, issuer)
	b := (&harness.Server{Issuer: issuer}).NewBrowser(t)
	offers := func(name string) bool { return strings.Contains(b.Get(t, "/sign-in").Text, name) }

	role := "late_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	late := strings.Replace(good, "postgres@", role+":pa55word@", 1)
	port := strings.Split(strings.Split(good, "@")[1], "/")[0]
	for _, wrong := range []struct{ url, said string }{
		{strings.Replace(good, port, "127.0.0.1:1", 1), "connection refused"},
		{unmigrated, "has not been migrated"},
		{others, "another Wicket's"},
		{late, `role \"` + role},
	} {
		before := server.ErrOut.String()
		declare(wrong.url, "Second")
		storagetest.Eventually(t, time.Minute, "the log says why it is not taken over", func() bool {
			log := strings.TrimPrefix(server.ErrOut.String(), before)
			return strings.Contains(log, "WICKET_DATABASE_URL: the new URL was tried and does not work") &&
				strings.Contains(log, wrong.said)
		})
		if !offers("First") || strings.Contains(server.ErrOut.String(), "took over") {
			t.Errorf("%s: something was taken over:\n%s", wrong.said, server.ErrOut.String())
		}
	}
	admin, err := storage.Open(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	if err := admin.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE ROLE "+role+" SUPERUSER LOGIN PASSWORD 'pa55word'")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, time.Minute, "it is taken over when the database knows it", func() bool {
		return offers("Second")
	})
	server.Interrupt(t)
	log := server.ErrOut.String()
	refused := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, role) {
			refused++
		}
	}
	if strings.Contains(log, "pa55word") || refused > 2 { // once for each file, if both were seen to change apart
		t.Errorf("it was said %d times: %s", refused, log)
	}
}

// After reseal nothing needs the old master key any more, in any table.
func TestReseal(t *testing.T) {
	t.Parallel()
	sealed := func(keys string) func(*harness.Config) {
		seal, err := seal.Parse(keys)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *harness.Config) { c.Seal = seal }
	}
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		old, master := seal.NewMasterKey(), seal.NewMasterKey()
		h := harness.Start(t, databaseURL, sealed(old))
		h.AddProvider(t, &federation.Provider{Kind: federation.KindGitHub, ClientID: "wicket", Secret: "upstream s3cret"})
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		app, _ := b.AddAuthenticator(t, "")
		h.SQL(t, "INSERT INTO external_accounts (id, user_id, provider, issuer, subject, label, profile, sealed_tokens, last_used_at, created_at, modified_at) VALUES (?, ?, 'github', 'https://github.com', '1', 'x', '{}', ?, ?, ?, ?)",
			uuid.New(), h.User.ID, h.Identity.Seal.Close(
				"upstream tokens", []byte(`{"access_token":"t"}`),
			), time.Now(), time.Now(), time.Now())
		line := harness.CommandLine{"WICKET_DATABASE_URL=" + h.Config().DatabaseURL, "WICKET_ISSUER=" + h.Issuer}
		ring := append(line, "WICKET_SECRET="+master+","+old)
		for i, want := range []int64{1, 0} { // again, there is nothing left to do
			var renewed map[string]int64
			ring.JSON(t, &renewed, "", "key", "reseal")
			if renewed["totps"] != want || renewed["providers"] != want || renewed["external_accounts"] != want ||
				(renewed["signing_keys"] > 0) != (want > 0) {
				t.Errorf("time %d: %v", i+1, renewed)
			}
		}
		after := h.Replica(t, sealed(master))
		elsewhere := after.NewBrowser(t)
		if shown := elsewhere.AnswerSecondStep(
			t, elsewhere.SignIn(t, harness.Page{}), harness.TOTPCode(t, app, 1),
		); !strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("the authenticator app: %s", shown.Status)
		}
		if provider, err := after.Upstreams.Provider(t.Context(), "github"); err != nil {
			t.Error(err)
		} else if _, err := after.Upstreams.Begin(
			t.Context(), provider.ID, federation.RequestOptions{Browser: "x"},
		); err != nil {
			t.Errorf("the provider's secret: %v", err)
		}
		if tokens, err := after.Identity.ExternalAccounts().Tokens(t.Context(), &after.Linked(t, h.User)[0]); err != nil ||
			!strings.Contains(string(tokens), "access_token") {
			t.Errorf("the provider's tokens: %s, %v", tokens, err)
		}
		lost := append(line, "WICKET_SECRET="+old).Run(t, "", "key", "reseal")
		if lost.ProcessState.ExitCode() != 1 || !strings.Contains(lost.ErrOut.String(), "totps ") ||
			!strings.Contains(lost.ErrOut.String(), "another master key") {
			t.Errorf("without the new key: %s\n%s", lost.ProcessState, &lost.ErrOut)
		}
	})
}
