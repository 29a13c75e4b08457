package commands

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

var printedPage = regexp.MustCompile(`http://\S+/device\?user_code=\S+`)

// A person signs in on the command line: the tokens are theirs alone to read, are renewed once however many commands want
// them, and are given back.
func TestLogin(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.LoginCommand = true })
		home := t.TempDir()
		line := harness.CommandLine{"XDG_CONFIG_HOME=" + home}
		if p := line.Run(t, "", "whoami"); p.ProcessState.ExitCode() != 3 {
			t.Errorf("nobody is signed in: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		var page string
		p := line.Prepare(t, "login", h.Issuer, "-o", "json")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, 20*time.Second, "the address of the page", func() bool {
			page = printedPage.FindString(p.ErrOut.String())
			return page != ""
		})
		b.DecideDevice(t, b.Get(t, page), "approve")
		if err := p.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, &p.ErrOut)
		}
		if !strings.Contains(p.Out.String(), h.User.ID.String()) {
			t.Errorf("printed %s", &p.Out)
		}
		file := filepath.Join(home, "wicket", "login.json")
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		expire(t, file)
		tokens := map[string]bool{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				var told struct {
					Token string `json:"access_token"`
				}
				line.JSON(t, &told, "", "whoami", "--token")
				mu.Lock()
				defer mu.Unlock()
				tokens[told.Token] = true
			})
		}
		all.Wait()
		if len(tokens) != 1 {
			t.Errorf("renewed %d times", len(tokens))
		}
		if p := line.Run(t, "", "whoami"); !strings.Contains(p.Out.String(), "you are alice") {
			t.Errorf("%s\n%s", &p.Out, &p.ErrOut)
		}
		if p := line.Run(t, "", "logout"); p.ProcessState.ExitCode() != 0 || p.ErrOut.Len() > 0 {
			t.Errorf("logout: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		sessions, err := h.Identity.Sessions().List(t.Context(), h.User.ID)
		if err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions stand, %v", len(sessions), err)
		}
		if p := line.Run(t, "", "whoami", h.Issuer); p.ProcessState.ExitCode() != 3 {
			t.Errorf("after the logout: %s\n%s", p.ProcessState, &p.ErrOut)
		}
	})
}

// expire makes the access tokens of a file old.
func expire(t *testing.T, file string) {
	t.Helper()
	encoded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(encoded, &kept); err != nil {
		t.Fatal(err)
	}
	for _, in := range kept["servers"].(map[string]any) {
		in.(map[string]any)["expires_at"] = time.Now().Add(-time.Hour)
	}
	if encoded, err = json.Marshal(kept); err == nil {
		err = os.WriteFile(file, encoded, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A server that has no app for it says so, and one that has it no more has deleted it.
func TestLoginWhereItIsOff(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.LoginCommand = true })
		if _, err := h.Clients.Fresh(t.Context(), "wicket-cli"); err != nil {
			t.Error(err)
		}
		h = h.Replica(t, func(c *harness.Config) { c.LoginCommand = false })
		p := harness.CommandLine{"XDG_CONFIG_HOME=" + t.TempDir()}.Run(t, "", "login", h.Issuer)
		if p.ProcessState.ExitCode() != 1 {
			t.Errorf("%s\n%s", p.ProcessState, &p.ErrOut)
		}
		if _, err := h.Clients.Fresh(t.Context(), "wicket-cli"); err == nil {
			t.Error("the app is still there")
		}
	})
}
