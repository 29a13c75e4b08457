package commands

import (
	"os"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/seal"
)

// wicket config check tells every setting and every fault, beside a secret that it never tells, and makes nothing.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	key := seal.NewMasterKey()
	line := harness.CommandLine{
		"WICKET_DATABASE_URL=sqlite:" + folder + "/wicket.db", "WICKET_ISSUER=https://id.example.com", "WICKET_SECRET=" + key,
	}
	var view harness.PrintedConfig
	line.JSON(t, &view, "", "config", "check")
	if len(view.Settings) < 30 || len(view.Faults) != 0 {
		t.Errorf("%+v", view)
	}
	text := line.Run(t, "", "config", "check").Out.String()
	for _, want := range [][]string{
		{"WICKET_ISSUER", "https://id.example.com", "variable"}, {"WICKET_SECRET", "set", "variable"},
		{"WICKET_MIGRATE", "auto", "default"},
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(want, " ")) {
			t.Errorf("%s\nlacks %v", text, want)
		}
	}
	wrong := append(line, "WICKET_LISTN=x", "WICKET_DRAIN=x").Run(t, "", "config", "check", "-o", "json")
	for _, fault := range []string{"WICKET_LISTN: there is no such variable; did you mean WICKET_LISTEN?", "WICKET_DRAIN: must be"} {
		if wrong.ProcessState.ExitCode() != codeFailed || !strings.Contains(wrong.ErrOut.String(), fault) ||
			!strings.Contains(wrong.Out.String(), fault) {
			t.Errorf("%s: %s\n%s", wrong.ProcessState, &wrong.Out, &wrong.ErrOut)
		}
	}
	if strings.Contains(text+wrong.Out.String()+wrong.ErrOut.String(), key) {
		t.Error("the master key is told")
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Errorf("it left %v behind, %v", files, err)
	}
	refused := append(line, "WICKET_LISTN=x").Run(t, "", "serve")
	if refused.ProcessState.ExitCode() != codeFailed ||
		!strings.Contains(refused.ErrOut.String(), "did you mean WICKET_LISTEN?") {
		t.Errorf("serve: %s\n%s", refused.ProcessState, &refused.ErrOut)
	}
	help := line.Run(t, "", "serve", "--help").Out.String()
	if !strings.Contains(help, "WICKET_METRICS_LISTEN\n") || !strings.Contains(help, "Default: http://localhost:8080\n") {
		t.Errorf("serve --help lacks the variables:\n%s", help)
	}
}
