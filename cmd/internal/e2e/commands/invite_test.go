package commands

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

var invitationLink = regexp.MustCompile(`http://\S+/register\?token=\S+`)

// serveAndInvite runs wicket serve on a database in which nobody is registered, and returns the link that it prints.
func serveAndInvite(t *testing.T, l harness.CommandLine, issuer string) (*harness.Process, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdout")
	printed, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	p := l.Prepare(t, "serve")
	p.Stdout = printed
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	// polling
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if text, _ := os.ReadFile(path); invitationLink.Match(text) {
			return p, invitationLink.FindString(string(text))
		}
	}
	t.Fatal("no link was printed")
	return nil, ""
}

// Whoever starts an embedded Wicket becomes its administrator by the link that it prints: once, and only the last link.
func TestFirstAdministrator(t *testing.T) {
	t.Parallel()
	line, issuer := harness.NewCommandLine(t, storagetest.URL(t, storage.SQLite))
	server, void := serveAndInvite(t, line, issuer)
	server.Interrupt(t)
	server, link := serveAndInvite(t, line, issuer)
	h := &harness.Server{Issuer: issuer}
	if shown := h.NewBrowser(t).Get(t, void); shown.StatusCode != http.StatusBadRequest {
		t.Errorf("the link of an earlier start: %s", shown.Status)
	}
	rosa := harness.SignUpForm(url.Values{"username": {"rosa"}})
	if shown := h.NewBrowser(t).FollowLink(t, link, rosa); shown.StatusCode != http.StatusOK ||
		shown.Request.URL.Path != "/console" {
		t.Fatalf("the first person: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
	}
	if shown := h.NewBrowser(t).FollowLink(
		t, link, harness.SignUpForm(url.Values{"username": {"second"}}),
	); shown.StatusCode != http.StatusBadRequest {
		t.Errorf("the link works twice: %s", shown.Status)
	}
	var roles []map[string]any
	if line.JSON(t, &roles, "", "role", "list", "rosa"); len(roles) != 1 || roles[0]["role"] != signin.RoleAdministrator {
		t.Errorf("the first person holds %v", roles)
	}
	server.Interrupt(t)
	server.NoFaults(t)
	if strings.Contains(server.ErrOut.String(), "token=") {
		t.Errorf("the link is in the log:\n%s", &server.ErrOut)
	}
	again := line.Serve(t, issuer)
	again.Interrupt(t)
	if again.Out.Len() > 0 {
		t.Errorf("with somebody registered it prints %q", &again.Out)
	}
}

// Whoever chose the secret of the first link makes the first account by it, an administrator's: once, whichever replica
// answers.
func TestChosenFirstAdministrator(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		const secret = "Chosen-by-the-operator_0123456789.~"
		file := filepath.Join(t.TempDir(), "invitation")
		if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line = append(line, "WICKET_FIRST_INVITATION_FILE="+file)
		replicas := []*harness.Process{line.Prepare(t, "serve")}
		if strings.HasPrefix(databaseURL, "postgres:") {
			if migrated := line.Run(t, "", "migrate"); !migrated.ProcessState.Success() {
				t.Fatal(migrated.ErrOut.String())
			}
			for range 2 {
				replicas = append(
					replicas, append(line, fmt.Sprintf("WICKET_LISTEN=127.0.0.1:%d", harness.FreePort(t))).Prepare(t, "serve"),
				)
			}
		}
		for _, replica := range replicas {
			if err := replica.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(replica.Kill)
		}
		for _, replica := range replicas {
			for deadline := time.Now().Add(30 * time.Second); !strings.Contains(
				replica.ErrOut.String(), "WICKET_FIRST_INVITATION makes the first account",
			); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("it does not say that the link works:\n%s", &replica.ErrOut)
				}
			}
		}
		h := &harness.Server{Issuer: issuer}
		link := issuer + "/register?token=" + secret
		if shown := h.NewBrowser(t).FollowLink(
			t, issuer+"/register?token="+strings.ToLower(secret), harness.SignUpForm(nil),
		); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("a link that is almost right: %s", shown.Status)
		}
		if shown := h.NewBrowser(t).FollowLink(
			t, link, harness.SignUpForm(url.Values{"username": {"rosa"}}),
		); shown.StatusCode != http.StatusOK || shown.Request.URL.Path != "/console" {
			t.Fatalf("the first person: %s %s\n%s", shown.Status, shown.Request.URL, shown.Text)
		}
		if shown := h.NewBrowser(t).FollowLink(
			t, link, harness.SignUpForm(url.Values{"username": {"second"}}),
		); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("the link works twice: %s", shown.Status)
		}
		var roles []map[string]any
		if line.JSON(t, &roles, "", "role", "list", "rosa"); len(roles) != 1 || roles[0]["role"] != signin.RoleAdministrator {
			t.Errorf("the first person holds %v", roles)
		}
		for _, replica := range replicas {
			replica.Interrupt(t)
			replica.NoFaults(t)
			if strings.Contains(replica.ErrOut.String(), secret) || replica.Out.Len() > 0 {
				t.Errorf("the link is in the log or on the terminal:\n%s%s", &replica.ErrOut, &replica.Out)
			}
		}
		again := line.Serve(t, issuer) // the secret may stay where it is
		if shown := h.NewBrowser(t).Get(t, link); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("after another start the link works again: %s", shown.Status)
		}
		again.Interrupt(t)
		again.NoFaults(t)
		if strings.Contains(again.ErrOut.String(), "nobody is registered") {
			t.Errorf("somebody is registered:\n%s", &again.ErrOut)
		}
		short := append(line, "WICKET_FIRST_INVITATION_FILE=", "WICKET_FIRST_INVITATION=changeme").Run(t, "", "serve")
		if short.ProcessState.Success() ||
			!strings.Contains(short.ErrOut.String(), "WICKET_FIRST_INVITATION: the secret of an invitation has 32") ||
			strings.Contains(short.ErrOut.String(), "changeme") {
			t.Errorf("a secret that can be guessed: %s\n%s", short.ProcessState, &short.ErrOut)
		}
	})
}

func TestInvitation(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.Registration = false })
		if _, _, err := h.SignIns.Invitations().Create(t.Context(), signin.NewInvitation{
			Email: "dora@example.com", Roles: []string{"clerk"}, Lifetime: time.Hour,
		}); err != nil {
			t.Fatal(err)
		}
		link, mail := h.Mail(t, "You are invited to "+strings.TrimPrefix(h.Issuer, "http://"))
		if mail.To != "dora@example.com" || link == "" {
			t.Fatalf("the mail went to %s:\n%s", mail.To, mail.Text)
		}
		b := h.NewBrowser(t)
		if shown := b.Get(t, link); !strings.Contains(shown.Text, `value="dora@example.com"`) {
			t.Errorf("the page does not know whom it was mailed to:\n%s", shown.Text)
		}
		// A slip does not use it up.
		if shown := b.FollowLink(
			t, link, harness.SignUpForm(url.Values{"username": {harness.Username}}),
		); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a taken name: %s", shown.Status)
		}
		// Twenty at once, of whom one gets in.
		var wg sync.WaitGroup
		admitted := make(chan string, 20)
		for i := range 20 {
			wg.Go(func() {
				name := "dora" + string(rune('a'+i))
				shown := h.NewBrowser(t).FollowLink(t, link, harness.SignUpForm(url.Values{
					"username": {name}, "email": {"Dora@example.com"},
				}))
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
		dora, err := h.Identity.Users().Find(t.Context(), "dora@example.com") // verified: the link reached it
		if err != nil || dora.Username != name {
			t.Fatalf("%+v, %v", dora, err)
		}
		if roles, err := h.Identity.Roles().List(t.Context(), dora.ID, false); err != nil || len(roles) != 1 ||
			roles[0].RoleName != "clerk" {
			t.Errorf("roles %+v, %v", roles, err)
		}
		if shown := h.NewBrowser(t).Get(t, "/register?token=guess"); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("a guessed link: %s", shown.Status)
		}
	})
}
