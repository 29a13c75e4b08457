package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

var printedInvitation = regexp.MustCompile(`http://\S+/register\?token=\S+`)

// serveAndInvite runs wicket serve on a database in which nobody is registered, and returns the link that it prints.
func (l commandLine) serveAndInvite(t *testing.T, issuer string) (*process, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdout")
	printed, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	p := l.prepare(t, "serve")
	p.Stdout = printed
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
		if text, _ := os.ReadFile(path); printedInvitation.Match(text) {
			return p, printedInvitation.FindString(string(text))
		}
	}
	t.Fatal("no link was printed")
	return nil, ""
}

// Whoever starts an embedded Wicket becomes its administrator by the link that it prints: once, and only the last link.
func TestFirstAdministrator(t *testing.T) {
	line, issuer := newCommandLine(t, storagetest.URL(t, storage.SQLite))
	server, void := line.serveAndInvite(t, issuer)
	server.interrupt(t)
	server, link := line.serveAndInvite(t, issuer)
	h := &openHouse{issuer: issuer}
	if shown := h.browser(t).get(t, void); shown.StatusCode != http.StatusBadRequest {
		t.Errorf("the link of an earlier start: %s", shown.Status)
	}
	root := newcomer(url.Values{"username": {"root"}})
	if shown := h.browser(t).follow(t, link, root); shown.StatusCode != http.StatusOK || shown.Request.URL.Path != "/account" {
		t.Fatalf("the first person: %s %s\n%s", shown.Status, shown.Request.URL, shown.body)
	}
	if shown := h.browser(t).follow(t, link, newcomer(url.Values{"username": {"second"}})); shown.StatusCode != http.StatusBadRequest {
		t.Errorf("the link works twice: %s", shown.Status)
	}
	var roles []map[string]any
	if line.json(t, &roles, "", "role", "list", "root"); len(roles) != 1 || roles[0]["role"] != identity.RoleAdministrator {
		t.Errorf("the first person holds %v", roles)
	}
	server.interrupt(t)
	server.noFaults(t)
	if strings.Contains(server.stderr.String(), "token=") {
		t.Errorf("the link is in the log:\n%s", &server.stderr)
	}
	again := line.serve(t, issuer)
	again.interrupt(t)
	if again.stdout.Len() > 0 {
		t.Errorf("with somebody registered it prints %q", &again.stdout)
	}
}

func TestInvitation(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := openTestHouse(t, databaseURL, func(c *configuration) { c.registration = false })
		if _, _, err := h.identity.Invite(t.Context(), "dora@example.com", []string{"clerk"}, time.Hour); err != nil {
			t.Fatal(err)
		}
		link, letter := h.mail(t, "You are invited to "+strings.TrimPrefix(h.issuer, "http://"))
		if letter.To != "dora@example.com" || link == "" {
			t.Fatalf("the letter went to %s:\n%s", letter.To, letter.Text)
		}
		b := h.browser(t)
		if shown := b.get(t, link); !strings.Contains(shown.body, `value="dora@example.com"`) {
			t.Errorf("the page does not know whom it was mailed to:\n%s", shown.body)
		}
		// A slip does not use it up.
		if shown := b.follow(t, link, newcomer(url.Values{"username": {testUsername}})); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a taken name: %s", shown.Status)
		}
		// Twenty at once, of whom one gets in.
		var wg sync.WaitGroup
		admitted := make(chan string, 20)
		for i := range 20 {
			wg.Go(func() {
				name := "dora" + string(rune('a'+i))
				shown := h.browser(t).follow(t, link, newcomer(url.Values{"username": {name}, "email": {"Dora@example.com"}}))
				if shown.StatusCode == http.StatusOK {
					admitted <- name
				} else if shown.StatusCode != http.StatusBadRequest && shown.StatusCode != http.StatusTooManyRequests {
					t.Errorf("%s: %s", name, shown.Status)
				}
			})
		}
		wg.Wait()
		close(admitted)
		name, more := <-admitted, 0
		for range admitted {
			more++
		}
		if name == "" || more > 0 {
			t.Fatalf("%q and %d more were admitted", name, more)
		}
		dora, err := h.identity.FindUser(t.Context(), "dora@example.com") // verified: the link reached it
		if err != nil || dora.Username != name {
			t.Fatalf("%+v, %v", dora, err)
		}
		if roles, err := h.identity.Roles(t.Context(), dora.ID, false); err != nil || len(roles) != 1 || roles[0].RoleName != "clerk" {
			t.Errorf("roles %+v, %v", roles, err)
		}
		if shown := h.browser(t).get(t, "/register?token=guess"); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("a guessed link: %s", shown.Status)
		}
	})
}
