package operation

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// filled is a server in which somebody has done all that people and apps do, as they remember it.
type filled struct {
	*harness.Server
	master     string // key
	client     harness.Client
	tokens     harness.Answer
	code       string // not redeemed yet
	revoked    string // access token
	browser    *harness.Browser
	totp       string
	backupCode string
	invitation string // secret of the link
}

// fillServer starts a server and fills it. What t is for ends with the server, what lasting is for does not.
func fillServer(t, lasting testing.TB, databaseURL string) *filled {
	t.Helper()
	l := &filled{master: seal.NewMasterKey()}
	l.Server = harness.Start(t, databaseURL, func(c *harness.Config) {
		var err error
		if c.Seal, err = seal.Parse(l.master); err != nil {
			t.Fatal(err)
		}
	})
	l.client, l.browser = l.Server.AddClient(t, nil), l.Server.NewBrowser(t)
	l.Server.NewBrowser(t).Post(t, "/sign-in", url.Values{"username": {harness.Username}, "password": {"not the one"}})
	first := l.Redeem(t, l.client, l.browser.Code(t, l.client, nil))
	l.revoked = first.Text("access_token")
	l.Call(t, oidc.PathRevoke, l.client, url.Values{"token": {l.revoked}})

	l.totp, _ = l.browser.AddAuthenticator(t, "")
	codes := harness.ShownBackupCode.FindStringSubmatch(l.browser.Post(t, "/account/backup-codes", nil).Text)
	if codes == nil {
		t.Fatal("no backup codes")
	}
	l.backupCode = codes[1]
	l.browser.Post(t, "/account/phones/add", url.Values{"number": {harness.PhoneNumber}})
	phones, err := l.Identity.Phones().List(t.Context(), l.User.ID)
	if err != nil || len(phones) != 1 {
		t.Fatalf("%+v, %v", phones, err)
	}
	l.browser.Post(t, "/account/phones/verify", url.Values{
		"id": {phones[0].ID.String()}, "code": {l.TextMessages(t, harness.PhoneNumber, 1)},
	})
	l.Server.StartProvider(lasting, "scripted", nil)
	l.browser.FollowingAll().Post(t, "/account/linked/add", url.Values{"provider": {"scripted"}})
	if len(l.Linked(t, l.User)) != 1 {
		t.Fatal("no account is linked")
	}
	if err := l.Identity.Roles().Grant(t.Context(), l.User.ID, "clerk"); err != nil {
		t.Fatal(err)
	}
	invitation := signin.NewInvitation{Roles: []string{"guest"}, Lifetime: time.Hour}
	if _, l.invitation, err = l.SignIns.Invitations().Create(t.Context(), invitation); err != nil {
		t.Fatal(err)
	}
	l.tokens = l.Redeem(t, l.client, l.browser.Code(t, l.client, nil))
	if l.tokens.Status != http.StatusOK {
		t.Fatal(l.tokens.JSON)
	}
	l.code = l.browser.Code(t, l.client, nil)
	return l
}

// forget lets the owner forget the password just when nobody does jobs any more.
func (l *filled) forget(t testing.TB) {
	t.Helper()
	if err := l.Jobs.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.Server.NewBrowser(t).Post(t, "/forgot-password", url.Values{"login": {harness.Email}})
}

// reopen starts the server again, at the same address and on another database.
func (l *filled) reopen(t testing.TB, databaseURL string) *harness.Server {
	t.Helper()
	listener, err := net.Listen(
		"tcp", strings.Replace(strings.TrimPrefix(l.Issuer, "http://"), "localhost", "127.0.0.1", 1),
	)
	if err != nil {
		t.Fatal(err)
	}
	config := *l.Config()
	config.DatabaseURL = databaseURL
	h := harness.ServeOn(t, listener, &config)
	h.User = l.User
	return h
}

// commands runs commands with the target's environment.
func (l *filled) commands(target string) harness.CommandLine {
	return harness.CommandLine{"WICKET_DATABASE_URL=" + target, "WICKET_SECRET=" + l.master}
}

// Whoever was signed in, whatever was issued and whatever was promised is good at the target as it was at the source.
func TestCopyOfAServer(t *testing.T) {
	sqlite := func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "wicket.db") }
	for name, copied := range map[string]struct{ from, to func(testing.TB) string }{
		"to PostgreSQL": {sqlite, storagetest.EmptyPostgres},
		"to SQLite":     {storagetest.EmptyPostgres, sqlite},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := copied.from(t), copied.to(t)
			var l *filled
			t.Run("source", func(lives *testing.T) {
				l = fillServer(lives, t, from)
				var rehearsal harness.PrintedCopy
				l.commands("").JSON(lives, &rehearsal, "", "copy", "--from", from, "--to", copied.to(t), "--rehearse")
				if !rehearsal.Rehearsal || rehearsal.Rows == 0 || rehearsal.Added != rehearsal.Rows || rehearsal.Jobs != 0 {
					lives.Errorf("the rehearsal: %+v", rehearsal)
				}
				refused := l.commands(to).Run(lives, "", "copy", "--from", from)
				if refused.ProcessState.ExitCode() != 1 ||
					!strings.Contains(refused.ErrOut.String(), "the source: a server works with it: stop it first") {
					lives.Errorf("beside a server: %s\n%s", refused.ProcessState, &refused.ErrOut)
				}
				l.forget(lives)
			})
			if t.Failed() {
				return
			}
			var done, again harness.PrintedCopy
			l.commands(to).JSON(t, &done, "", "copy", "--from", from)
			if done.Rehearsal || done.Added != done.Rows || done.Jobs == 0 {
				t.Errorf("the copy: %+v", done)
			}
			filled := 0
			for _, table := range done.Tables {
				if table.Rows > 0 {
					filled++
				}
				t.Logf("%s: %d", table.Table, table.Rows)
			}
			if filled < 20 {
				t.Errorf("only %d tables held anything", filled)
			}
			l.commands("").JSON(t, &again, "", "copy", "--from", from, "--to", to)
			if again.Rows != done.Rows || again.Added != 0 || again.Jobs != 0 {
				t.Errorf("once more: %+v", again)
			}
			l.checkSameIn(t, l.reopen(t, to))
		})
	}
}

// checkSameIn looks whether everything is as people and apps remember it.
func (l *filled) checkSameIn(t *testing.T, h *harness.Server) {
	t.Helper()
	b := at(t, l.browser, h)
	if !isSignedIn(t, b) {
		t.Error("the session is lost")
	}
	if got := h.Userinfo(t, l.tokens.Text("access_token")); got.Status != http.StatusOK ||
		got.Text("sub") != l.User.ID.String() {
		t.Errorf("the access token: %d %v", got.Status, got.JSON)
	}
	if got := h.Userinfo(t, l.revoked); got.Status != http.StatusUnauthorized {
		t.Errorf("the access token that was revoked: %d %v", got.Status, got.JSON)
	}
	if got := h.Refresh(t, l.client, l.tokens.Text("refresh_token")); got.Status != http.StatusOK {
		t.Errorf("the refresh token: %d %v", got.Status, got.JSON)
	}
	if got := h.Redeem(t, l.client, l.code); got.Status != http.StatusOK {
		t.Errorf("the code: %d %v", got.Status, got.JSON)
	}
	if shown := b.Get(t, h.AuthorizeURL(l.client, nil)); shown.Request.URL.Path != oidc.PathAuthorize ||
		shown.StatusCode != http.StatusSeeOther {
		t.Errorf("the consent is forgotten: %s at %s", shown.Status, shown.Request.URL)
	}
	for name, code := range map[string]string{
		"the app's code": harness.TOTPCode(t, l.totp, 0), "a backup code": l.backupCode,
	} {
		elsewhere := h.NewBrowser(t)
		shown := elsewhere.Post(
			t,
			"/sign-in",
			url.Values{"username": {harness.PhoneNumber}, "password": {harness.Password}},
		)
		if !harness.AsksForCode(shown) {
			t.Fatalf("phone and password: %s\n%s", shown.Status, shown.Text)
		}
		if elsewhere.AnswerSecondStep(t, shown, code); !isSignedIn(t, elsewhere) {
			t.Errorf("%s is not taken", name)
		}
	}
	upstream := h.NewBrowser(t)
	shown := upstream.ToUpstream(t, "scripted", harness.Page{})
	if shown.Path() != "/second-step" && !strings.Contains(shown.Text, "Alice Example") {
		t.Errorf("the linked account: %s at %s", shown.Status, shown.Request.URL)
	}
	if roles, err := h.Identity.Roles().List(t.Context(), l.User.ID, false); err != nil || len(roles) != 1 ||
		roles[0].RoleName != "clerk" {
		t.Errorf("roles %+v, %v", roles, err)
	}
	if shown := h.NewBrowser(t).FollowLink(
		t, "/register?token="+l.invitation, harness.SignUpForm(nil),
	); shown.StatusCode != http.StatusOK || shown.Path() == "/register" {
		t.Errorf("the invitation: %s at %s\n%s", shown.Status, shown.Path(), shown.Text)
	}
	// promised before the copy
	link, _ := h.Mail(t, "Choose a new password")
	// and then for the password
	if shown := h.NewBrowser(t).Get(t, link); shown.StatusCode != http.StatusOK || !harness.AsksForCode(shown) {
		t.Errorf("the mailed link: %s\n%s", shown.Status, shown.Text)
	}
	if h.Database.Kind == storage.SQLite {
		var faults []string
		if err := h.Database.Reader().NewRaw("SELECT \"table\" FROM pragma_foreign_key_check").
			Scan(t.Context(), &faults); err != nil || len(faults) > 0 {
			t.Errorf("rows refer to nothing: %v, %v", faults, err)
		}
	}
}

func TestCopyRefusals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	from := "sqlite:" + filepath.Join(folder, "wicket.db")
	source := harness.CommandLine{"WICKET_DATABASE_URL=" + from}
	source.JSON(t, &[]any{}, "", "migrate") // makes the database and the master key beside it
	source.JSON(t, &[]harness.PrintedKey{}, "", "key", "rotate")
	keyFile := filepath.Join(folder, "wicket.key")
	to := storagetest.EmptyPostgres(t)
	target := harness.CommandLine{"WICKET_DATABASE_URL=" + to}
	for name, c := range map[string]struct {
		variable string
		from, to string
		want     string
	}{
		"no master key": {from: from, want: "WICKET_SECRET: is needed, here and for the server that will work with the copy: what the source has, with WICKET_SECRET_FILE=" + keyFile},
		"another master key": {from: from, variable: "WICKET_SECRET=" +
			seal.NewMasterKey(), want: "this is not the master key of the source, so nothing that is sealed there could be read at the target; set it to what the source has, with WICKET_SECRET_FILE=" + keyFile},
		"no source": {from: from + ".gone", variable: "WICKET_SECRET_FILE=" +
			keyFile, want: "--from: there is no database"},
		"another product": {from: "mysql://secret@host/", variable: "WICKET_SECRET_FILE=" +
			keyFile, want: `--from: the database URL: must begin with "sqlite:" or "postgres://"`},
		"no target": {from: from, to: "postgres://wicket:secret@127.0.0.1:1/wicket", variable: "WICKET_SECRET_FILE=" +
			keyFile, want: "--to: reach the postgres database"},
		"an older source": {from: storagetest.EmptyPostgres(t), to: "sqlite:" + folder +
			"/other.db", variable: "WICKET_SECRET_FILE=" + keyFile, want: "set WICKET_DATABASE_URL to it and run wicket migrate first"},
		"the same product": {from: from, to: "sqlite:" + folder + "/other.db", variable: "WICKET_SECRET_FILE=" +
			keyFile, want: "both databases are of the same product"},
	} {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"copy", "-o", "json", "--from", c.from}
			if c.to != "" {
				arguments = append(arguments, "--to", c.to)
			}
			p := append(target[:1:1], c.variable).Run(t, "", arguments...)
			if p.ProcessState.ExitCode() != 1 || p.Out.Len() > 0 || !strings.Contains(p.ErrOut.String(), c.want) ||
				strings.Contains(p.ErrOut.String(), "secret@") {
				t.Errorf("%s, want %q on stderr alone\nstdout: %s\nstderr: %s", p.ProcessState, c.want, &p.Out, &p.ErrOut)
			}
		})
	}
	database, err := storage.Open(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	if pending, err := database.Pending(t.Context()); err != nil || len(pending) == 0 {
		t.Errorf("a refusal has migrated the target, %v", err)
	}
	if _, err := os.Stat(folder + "/other.key"); err == nil {
		t.Error("a master key was made for the target")
	}

	// A target that holds something of its own already.
	good := append(target, "WICKET_SECRET_FILE="+keyFile)
	good.JSON(
		t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
		harness.Email, "--email-verified", "--password-stdin",
	)
	p := good.Run(t, "", "copy", "--from", from)
	if p.ProcessState.ExitCode() != 1 || !strings.Contains(p.ErrOut.String(), "is not in the source") ||
		!strings.Contains(p.ErrOut.String(), "Empty the target") {
		t.Errorf("into a target that is not empty: %s\n%s", p.ProcessState, &p.ErrOut)
	}
}
