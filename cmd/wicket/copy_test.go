package main

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

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// lived is a house in which somebody has done all that people and apps do, as they remember it.
type lived struct {
	*openHouse
	master     string // key
	client     testClient
	tokens     answer
	code       string // not redeemed yet
	revoked    string // access token
	browser    *browser
	totp       string
	backupCode string
	invitation string // secret of the link
}

// liveIn opens a house and lives in it. What t is for ends with the house, what lasting is for does not.
func liveIn(t, lasting testing.TB, databaseURL string) *lived {
	t.Helper()
	l := &lived{master: seal.NewMasterKey()}
	l.openHouse = openTestHouse(t, databaseURL, func(c *configuration) {
		var err error
		if c.Seal, err = seal.Parse(l.master); err != nil {
			t.Fatal(err)
		}
	})
	l.client, l.browser = l.openHouse.client(t, nil), l.openHouse.browser(t)
	l.openHouse.browser(t).post(t, "/sign-in", url.Values{"username": {testUsername}, "password": {"not the one"}})
	first := l.redeem(t, l.client, l.browser.code(t, l.client, nil))
	l.revoked = first.text("access_token")
	l.call(t, oidc.PathRevoke, l.client, url.Values{"token": {l.revoked}})

	l.totp, _ = l.browser.addApp(t, "")
	codes := shownCode.FindStringSubmatch(l.browser.post(t, "/account/backup-codes", nil).body)
	if codes == nil {
		t.Fatal("no backup codes")
	}
	l.backupCode = codes[1]
	l.browser.post(t, "/account/phones/add", url.Values{"number": {aliceNumber}})
	phones, err := l.Identity.Phones().List(t.Context(), l.user.ID)
	if err != nil || len(phones) != 1 {
		t.Fatalf("%+v, %v", phones, err)
	}
	l.browser.post(t, "/account/phones/verify", url.Values{"id": {phones[0].ID.String()}, "code": {l.texts(t, aliceNumber, 1)}})
	l.openHouse.startLiar(lasting, "liar", nil)
	l.browser.traveller().post(t, "/account/linked/add", url.Values{"provider": {"liar"}})
	if len(l.linked(t, l.user)) != 1 {
		t.Fatal("no account is linked")
	}
	if err := l.Identity.Roles().Grant(t.Context(), l.user.ID, "clerk"); err != nil {
		t.Fatal(err)
	}
	if _, l.invitation, err = l.SignIns.Invitations().Create(t.Context(), "", []string{"guest"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	l.tokens = l.redeem(t, l.client, l.browser.code(t, l.client, nil))
	if l.tokens.status != http.StatusOK {
		t.Fatal(l.tokens.json)
	}
	l.code = l.browser.code(t, l.client, nil)
	return l
}

// forget lets the owner forget the password just when nobody does jobs any more.
func (l *lived) forget(t testing.TB) {
	t.Helper()
	if err := l.Jobs.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.openHouse.browser(t).post(t, "/forgot-password", url.Values{"login": {testEmail}})
}

// goesOn opens the house once more, at the same address and with its data somewhere else.
func (l *lived) goesOn(t testing.TB, databaseURL string) *openHouse {
	t.Helper()
	listener, err := net.Listen("tcp", strings.Replace(strings.TrimPrefix(l.issuer, "http://"), "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	config := *l.Config()
	config.DatabaseURL = databaseURL
	h := serveTestHouse(t, listener, &config)
	h.user = l.user
	return h
}

// commands runs commands with the target's environment.
func (l *lived) commands(target string) commandLine {
	return commandLine{"WICKET_DATABASE_URL=" + target, "WICKET_SECRET=" + l.master}
}

// Whoever was signed in, whatever was issued and whatever was promised is good at the target as it was at the source.
func TestCopyOfAHouse(t *testing.T) {
	sqlite := func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "wicket.db") }
	for name, copied := range map[string]struct{ from, to func(testing.TB) string }{
		"to PostgreSQL": {sqlite, storagetest.EmptyPostgres},
		"to SQLite":     {storagetest.EmptyPostgres, sqlite},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := copied.from(t), copied.to(t)
			var l *lived
			t.Run("source", func(lives *testing.T) {
				l = liveIn(lives, t, from)
				var rehearsal printedCopy
				l.commands("").json(lives, &rehearsal, "", "copy", "--from", from, "--to", copied.to(t), "--rehearse")
				if !rehearsal.Rehearsal || rehearsal.Rows == 0 || rehearsal.Added != rehearsal.Rows || rehearsal.Jobs != 0 {
					lives.Errorf("the rehearsal: %+v", rehearsal)
				}
				refused := l.commands(to).run(lives, "", "copy", "--from", from)
				if refused.ProcessState.ExitCode() != 1 || !strings.Contains(refused.stderr.String(), "the source: a server works with it: stop it first") {
					lives.Errorf("beside a server: %s\n%s", refused.ProcessState, &refused.stderr)
				}
				l.forget(lives)
			})
			if t.Failed() {
				return
			}
			var done, again printedCopy
			l.commands(to).json(t, &done, "", "copy", "--from", from)
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
			l.commands("").json(t, &again, "", "copy", "--from", from, "--to", to)
			if again.Rows != done.Rows || again.Added != 0 || again.Jobs != 0 {
				t.Errorf("once more: %+v", again)
			}
			l.isTheSameIn(t, l.goesOn(t, to))
		})
	}
}

// isTheSameIn looks whether everything is as people and apps remember it.
func (l *lived) isTheSameIn(t *testing.T, h *openHouse) {
	t.Helper()
	b := at(t, l.browser, h)
	if !isSignedIn(t, b) {
		t.Error("the session is lost")
	}
	if got := h.userinfo(t, l.tokens.text("access_token")); got.status != http.StatusOK || got.text("sub") != l.user.ID.String() {
		t.Errorf("the access token: %d %v", got.status, got.json)
	}
	if got := h.userinfo(t, l.revoked); got.status != http.StatusUnauthorized {
		t.Errorf("the access token that was revoked: %d %v", got.status, got.json)
	}
	if got := h.refresh(t, l.client, l.tokens.text("refresh_token")); got.status != http.StatusOK {
		t.Errorf("the refresh token: %d %v", got.status, got.json)
	}
	if got := h.redeem(t, l.client, l.code); got.status != http.StatusOK {
		t.Errorf("the code: %d %v", got.status, got.json)
	}
	if shown := b.get(t, h.authorizeURL(l.client, nil)); shown.Request.URL.Path != oidc.PathAuthorize || shown.StatusCode != http.StatusSeeOther {
		t.Errorf("the consent is forgotten: %s at %s", shown.Status, shown.Request.URL)
	}
	for name, code := range map[string]string{"the app's code": totpCode(t, l.totp, 0), "a backup code": l.backupCode} {
		elsewhere := h.browser(t)
		shown := elsewhere.post(t, "/sign-in", url.Values{"username": {aliceNumber}, "password": {testPassword}})
		if !asksForCode(shown) {
			t.Fatalf("phone and password: %s\n%s", shown.Status, shown.body)
		}
		if elsewhere.verify(t, shown, code); !isSignedIn(t, elsewhere) {
			t.Errorf("%s is not taken", name)
		}
	}
	upstream := h.browser(t)
	shown := upstream.toUpstream(t, "liar", page{})
	if shown.at() != "/second-step" && !strings.Contains(shown.body, "Alice Example") {
		t.Errorf("the linked account: %s at %s", shown.Status, shown.Request.URL)
	}
	if roles, err := h.Identity.Roles().List(t.Context(), l.user.ID, false); err != nil || len(roles) != 1 || roles[0].RoleName != "clerk" {
		t.Errorf("roles %+v, %v", roles, err)
	}
	if shown := h.browser(t).follow(t, "/register?token="+l.invitation, newcomer(nil)); shown.StatusCode != http.StatusOK || shown.at() == "/register" {
		t.Errorf("the invitation: %s at %s\n%s", shown.Status, shown.at(), shown.body)
	}
	link, _ := h.mail(t, "Choose a new password")                                                     // promised before the copy
	if shown := h.browser(t).get(t, link); shown.StatusCode != http.StatusOK || !asksForCode(shown) { // and then for the password
		t.Errorf("the mailed link: %s\n%s", shown.Status, shown.body)
	}
	if h.Database.Kind == storage.SQLite {
		var faults []string
		if err := h.Database.Reader().NewRaw("SELECT \"table\" FROM pragma_foreign_key_check").Scan(t.Context(), &faults); err != nil || len(faults) > 0 {
			t.Errorf("rows refer to nothing: %v, %v", faults, err)
		}
	}
}

func TestCopyRefusals(t *testing.T) {
	folder := t.TempDir()
	from := "sqlite:" + filepath.Join(folder, "wicket.db")
	source := commandLine{"WICKET_DATABASE_URL=" + from}
	source.json(t, &[]any{}, "", "migrate") // makes the database and the master key beside it
	source.json(t, &[]printedKey{}, "", "key", "rotate")
	keyFile := filepath.Join(folder, "wicket.key")
	to := storagetest.EmptyPostgres(t)
	target := commandLine{"WICKET_DATABASE_URL=" + to}
	for name, c := range map[string]struct {
		variable string
		from, to string
		want     string
	}{
		"no master key":      {from: from, want: "WICKET_SECRET: is needed, here and for the server that will work with the copy: what the source has, with WICKET_SECRET_FILE=" + keyFile},
		"another master key": {from: from, variable: "WICKET_SECRET=" + seal.NewMasterKey(), want: "this is not the master key of the source, so nothing that is sealed there could be read at the target; set it to what the source has, with WICKET_SECRET_FILE=" + keyFile},
		"no source":          {from: from + ".gone", variable: "WICKET_SECRET_FILE=" + keyFile, want: "--from: there is no database"},
		"another product":    {from: "mysql://secret@host/", variable: "WICKET_SECRET_FILE=" + keyFile, want: `--from: the database URL must begin with "sqlite:" or "postgres://"`},
		"no target":          {from: from, to: "postgres://wicket:secret@127.0.0.1:1/wicket", variable: "WICKET_SECRET_FILE=" + keyFile, want: "--to: reach the postgres database"},
		"an older source":    {from: storagetest.EmptyPostgres(t), to: "sqlite:" + folder + "/other.db", variable: "WICKET_SECRET_FILE=" + keyFile, want: "set WICKET_DATABASE_URL to it and run wicket migrate first"},
		"the same product":   {from: from, to: "sqlite:" + folder + "/other.db", variable: "WICKET_SECRET_FILE=" + keyFile, want: "both databases are of the same product"},
	} {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"copy", "-o", "json", "--from", c.from}
			if c.to != "" {
				arguments = append(arguments, "--to", c.to)
			}
			p := append(target[:1:1], c.variable).run(t, "", arguments...)
			if p.ProcessState.ExitCode() != 1 || p.stdout.Len() > 0 || !strings.Contains(p.stderr.String(), c.want) || strings.Contains(p.stderr.String(), "secret@") {
				t.Errorf("%s, want %q on stderr alone\nstdout: %s\nstderr: %s", p.ProcessState, c.want, &p.stdout, &p.stderr)
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

	// A target in which somebody has begun to live.
	good := append(target, "WICKET_SECRET_FILE="+keyFile)
	good.json(t, &printedUser{}, testPassword, "user", "create", "--username", testUsername, "--email", testEmail, "--email-verified", "--password-stdin")
	p := good.run(t, "", "copy", "--from", from)
	if p.ProcessState.ExitCode() != 1 || !strings.Contains(p.stderr.String(), "is not in the source") || !strings.Contains(p.stderr.String(), "Empty the target") {
		t.Errorf("into a house that is lived in: %s\n%s", p.ProcessState, &p.stderr)
	}
}
