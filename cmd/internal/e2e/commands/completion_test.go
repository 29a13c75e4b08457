package commands

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// A real bash completes what wicket says. It needs no database.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	line, _ := harness.NewCommandLine(t, "sqlite:"+t.TempDir()+"/none.db")
	script := line.Run(t, "", "completion", "bash")
	if script.ProcessState.ExitCode() != 0 {
		t.Fatal(script.ErrOut.String())
	}
	for typed, want := range map[string]string{
		"wicket cli":                         "client",
		"wicket completion ":                 "bash zsh fish",
		"wicket client create --no-tr":       "--no-trusted",
		"wicket client list --output=j":      "json",
		"wicket provider add --name 'A' goo": "google",
		"wicket user import ":                "",
	} {
		bash := exec.CommandContext(t.Context(), "bash", "-c",
			`wicket() { "$BINARY" "$@"; }; eval "$SCRIPT"; COMP_LINE=$TYPED COMP_POINT=${#TYPED}; _wicket; echo "${COMPREPLY[*]}"`)
		bash.Env = append(script.Env, "BINARY="+script.Path, "SCRIPT="+script.Out.String(), "TYPED="+typed)
		found, err := bash.CombinedOutput()
		if got := strings.TrimSpace(string(found)); err != nil || got != want {
			t.Errorf("%q: %q, want %q (%v)", typed, got, want, err)
		}
	}
}
