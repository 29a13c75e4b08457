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

// A person signs in on the command line: the tokens are theirs alone to read, are renewed once however many commands
// want them, and are given back. Where the operator does not want it any more, the app is deleted.
func TestLogin(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		home := t.TempDir()
		line = append(line, "XDG_CONFIG_HOME="+home)
		server := append(line, "WICKET_LOGIN_COMMAND=on").Serve(t, issuer)
		h := &harness.Server{Issuer: issuer}
		line.Run(t, harness.Password, "user", "create", "--username", harness.Username, "--password-stdin")
		if p := line.Run(t, "", "whoami"); p.ProcessState.ExitCode() != 3 {
			t.Errorf("nobody is signed in: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		var page string
		p := line.Prepare(t, "login", "-o", "json")
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
		if !strings.Contains(p.Out.String(), `"preferred_username": "alice"`) {
			t.Errorf("printed %s", &p.Out)
		}
		file := filepath.Join(home, "wicket", "login.json")
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		expire(t, file)
		tokens := map[string]bool{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				p := line.Run(t, "", "whoami", "--token")
				mu.Lock()
				defer mu.Unlock()
				tokens[p.Out.String()+p.ErrOut.String()] = true
			})
		}
		all.Wait()
		if len(tokens) != 1 {
			t.Errorf("renewed %d times: %v", len(tokens), tokens)
		}
		if p := line.Run(t, "", "whoami"); !strings.Contains(p.Out.String(), "you are alice") {
			t.Errorf("%s\n%s", &p.Out, &p.ErrOut)
		}
		if p := line.Run(t, "", "session", "list", "alice"); !strings.Contains(p.Out.String(), "Device with Wicket") {
			t.Errorf("no device among the sessions:\n%s\n%s", &p.Out, &p.ErrOut)
		}
		if p := line.Run(t, "", "logout"); p.ProcessState.ExitCode() != 0 || p.ErrOut.Len() > 0 {
			t.Errorf("logout: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		if p := line.Run(t, "", "session", "list", "alice"); strings.Contains(p.Out.String(), "Device with Wicket") {
			t.Errorf("the device is still there:\n%s", &p.Out)
		}
		if p := line.Run(t, "", "whoami", issuer); p.ProcessState.ExitCode() != 3 {
			t.Errorf("after the logout: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		server.Interrupt(t)
		line.Serve(t, issuer)
		p = line.Run(t, "", "login")
		if p.ProcessState.ExitCode() != 1 || !strings.Contains(p.ErrOut.String(), "WICKET_LOGIN_COMMAND") {
			t.Errorf("where it is off: %s\n%s", p.ProcessState, &p.ErrOut)
		}
	})
}

// An app that an operator has changed is theirs: it is neither made as it was nor deleted.
func TestAnAppOfWicketLoginThatWasChanged(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		append(line, "WICKET_LOGIN_COMMAND=on").Serve(t, issuer).Interrupt(t)
		if p := line.Run(t, "", "client", "update", "wicket-cli", "--name", "Ours"); p.ProcessState.ExitCode() != 0 {
			t.Fatalf("client update: %s\n%s", p.ProcessState, &p.ErrOut)
		}
		for _, wanted := range []string{"on", "off"} {
			append(line, "WICKET_LOGIN_COMMAND="+wanted).Serve(t, issuer).Interrupt(t)
			if p := line.Run(t, "", "client", "show", "wicket-cli"); !strings.Contains(p.Out.String(), "Ours") {
				t.Errorf("%s: %s\n%s", wanted, &p.Out, &p.ErrOut)
			}
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
