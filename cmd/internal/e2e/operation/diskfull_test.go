package operation

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Where the embedded database cannot grow, whatever has to be written is refused with a clean error and whatever need
// not be is answered; when there is room everything works again, and killed meanwhile nothing is lost of what was
// answered.
func TestDiskFull(t *testing.T) {
	databaseURL := storagetest.URL(t, storage.SQLite)
	line, issuer := harness.NewCommandLine(t, databaseURL)
	line.JSON(
		t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
		harness.Email, "--email-verified", "--password-stdin",
	)
	var app struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	line.JSON(
		t, &app, "", "client", "create", "--name", "Test app", "--redirect-uri", harness.RedirectURI, "--auth-method",
		clients.AuthPost,
	)
	h := &harness.Server{Issuer: issuer}
	client := harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret}
	server := line.Serve(t, issuer)
	b := h.NewBrowser(t)
	first := h.Redeem(t, client, b.Code(t, client, nil)) // signed in, and consent is remembered

	var families []*family
	for _, killed := range []bool{false, true} {
		fillDisk(t, server, strings.TrimPrefix(databaseURL, "sqlite:"))
		storagetest.Eventually(t, time.Minute, "the disk is full", func() bool {
			family, written := signInUntilFull(t, b, client)
			if family != nil {
				families = append(families, family)
			}
			return !written
		})
		t.Logf("%d sign-ins until the disk was full", len(families))

		// Every answer that takes writing is a refusal that says so, as often as it is asked.
		for range 3 {
			if _, written := signInUntilFull(t, b, client); written {
				t.Error("signed in on a full disk")
			}
			shown := h.NewBrowser(t).Post(t, "/sign-in", url.Values{
				"username": {harness.Username}, "password": {harness.Password},
			})
			saysTryAgain(t, shown)
		}
		// What need not be written is answered.
		if a := h.Userinfo(t, first.Text("access_token")); a.Status != http.StatusOK {
			t.Errorf("userinfo: %d %v", a.Status, a.JSON)
		}
		if a := h.Call(
			t, oidc.PathIntrospect, client, url.Values{"token": {first.Text("refresh_token")}},
		); a.JSON["active"] != true {
			t.Errorf("introspection: %d %v", a.Status, a.JSON)
		}
		storagetest.Eventually(t, time.Minute, "it says that it is not ready", func() bool {
			shown := h.NewBrowser(t).Get(t, "/readyz")
			return shown.StatusCode == http.StatusServiceUnavailable && strings.Contains(shown.Text, "nothing can be written")
		})
		for _, path := range []string{"/healthz", oidc.PathJWKS, "/sign-in"} {
			if shown := h.NewBrowser(t).Get(t, path); shown.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", path, shown.Status)
			}
		}

		if killed {
			server.Kill()
			cleanRefusals(t, server)
			server = line.Serve(t, issuer)
		} else {
			limitFiles(t, server, unix.RLIM_INFINITY)
		}
		if family, written := signInUntilFull(t, b, client); !written {
			t.Errorf("there is room again, and still no sign-in")
		} else {
			families = append(families, family)
		}
	}
	var total counts
	for _, f := range families {
		f.check(t, h, client, &total)
	}
	t.Logf("%d sign-ins in all: %+v", len(families), total)
	server.Interrupt(t)
	server.NoFaults(t)
	nothingHalfWritten(t, databaseURL)
}

// signInUntilFull signs in, gets tokens and refreshes them, up to the first refusal, which must be a clean one. The
// family is what the app knows then; nil where it did not get a code.
func signInUntilFull(t *testing.T, b *harness.Browser, client harness.Client) (known *family, written bool) {
	t.Helper()
	shown := b.Get(t, b.Server.AuthorizeURL(client, nil))
	location, err := shown.Location()
	if err != nil {
		saysTryAgain(t, shown)
		return nil, false
	}
	code := location.Query().Get("code")
	refused := func(a harness.Answer) bool {
		if a.Status != http.StatusOK && (a.Status != http.StatusInternalServerError || a.Text("error") != "server_error") {
			t.Errorf("the app is told: %d %v", a.Status, a.JSON)
		}
		return a.Status != http.StatusOK
	}
	known = &family{code: code}
	tokens := b.Server.Redeem(t, client, code)
	if refused(tokens) {
		return known, false
	}
	known.redeemed, known.access, known.refresh = true, tokens.Text("access_token"), tokens.Text("refresh_token")
	refreshed := b.Server.Refresh(t, client, known.refresh)
	if refused(refreshed) {
		return known, false
	}
	known.access, known.refresh = refreshed.Text("access_token"), refreshed.Text("refresh_token")
	return known, true
}

// saysTryAgain fails the test where a page is not the one of a fault of ours, which tells visitors nothing about it.
func saysTryAgain(t *testing.T, p harness.Page) {
	t.Helper()
	if p.StatusCode != http.StatusInternalServerError || !strings.Contains(p.Text, "Try again.") ||
		strings.Contains(p.Text, "disk") {
		t.Errorf("%s: %s\n%s", p.Request.URL.Path, p.Status, p.Text)
	}
}

// fillDisk leaves the files of the database hardly any room to grow. The limit is one of the process, for which no
// privilege is needed: a write beyond it fails, or is cut short, as on a full disk.
func fillDisk(t *testing.T, p *harness.Process, path string) {
	t.Helper()
	var largest int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	limitFiles(t, p, uint64(largest)+100_000) // not a whole number of pages
}

// limitFiles says how large a file may be that the process writes.
func limitFiles(t *testing.T, p *harness.Process, size uint64) {
	t.Helper()
	if err := unix.Prlimit(
		p.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil,
	); err != nil {
		t.Fatal(err)
	}
}

// cleanRefusals fails the test where a process that has ended broke down, or kept the reason of its refusals to itself.
func cleanRefusals(t *testing.T, p *harness.Process) {
	t.Helper()
	log := p.ErrOut.String()
	if !strings.Contains(log, "disk I/O error") && !strings.Contains(log, "disk is full") {
		t.Errorf("the log does not say why:\n%.2000s", log)
	}
	for _, fault := range []string{"DATA RACE", "panic", "goroutine "} {
		if strings.Contains(log, fault) {
			t.Errorf("%s\n%.10000s", fault, log)
		}
	}
}
