package commands

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// The newcomer's first command, from the sample app to its tokens and out again; and once more after a restart.
func TestDevInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	port, appPort, data := harness.FreePort(t), harness.FreePort(t), t.TempDir()
	issuer, app := fmt.Sprintf("http://localhost:%d", port), fmt.Sprintf("http://localhost:%d", appPort)
	dev := func() *harness.Process {
		return harness.CommandLine{}.Start(
			t, issuer+"/readyz", "dev", "--port", fmt.Sprint(port), "--app-port", fmt.Sprint(appPort), "--data", data,
		)
	}
	server := dev()

	w.Open(app)
	w.Look("app-signed-out")
	w.Press("#sign-in")
	w.Look("signin")
	w.SignIn(devUsername, "not the password")
	w.Reads("#failure", "do not match")
	w.Look("signin-failure")
	w.SignIn(devUsername, devPassword)
	w.Reads("main", "Daybook wants to use your account", "Demo Person")
	w.Look("consent")
	w.Press("#allow")
	w.Reads("#greeting", "Demo")
	w.Reads("#id-token", issuer, devClient)
	w.Reads(`#userinfo [data-claim="email"]`, devEmail)
	w.Look("app-signed-in")
	before := w.Text("#refresh-fingerprint")
	w.Press("#refresh")
	w.Reads("#refreshes", "1")
	if w.Text("#refresh-fingerprint") == before {
		t.Error("the refresh token was not rotated")
	}
	w.Open(issuer + "/account/devices")
	w.Reads("ul.list", "This device", "Daybook")
	w.Look("account")
	w.Open(app)
	w.Press("#sign-out")
	w.Reads("#signed-out", "signed out")
	w.Open(issuer + "/account")
	w.Reads("h1", "Sign in")

	w.Open(app + "/spa/")
	w.Look("spa-signed-out")
	w.Press("#sign-in")
	w.SignIn(devEmail, devPassword)
	w.Reads("main", "Daybook Pocket wants to use your account")
	w.Press("#allow")
	w.Reads(`#userinfo [data-claim="email"]`, devEmail)
	w.Look("spa-signed-in")
	w.Press("#sign-out")
	w.Open(issuer + "/account")
	w.Reads("h1", "Sign in")

	server.Interrupt(t)
	for _, want := range []string{app, devUsername, devPassword, app + "/spa/", issuer + "/account", data, "Ctrl-C"} {
		if !strings.Contains(server.Out.String(), want) {
			t.Errorf("dev does not print %q:\n%s", want, &server.Out)
		}
	}
	server.NoFaults(t)

	again := dev()
	w.Open(app)
	w.Press("#sign-in")
	w.SignIn(devUsername, devPassword)
	w.Reads("#greeting", "Demo") // without a consent page
	w.Open(app + "/spa/")
	w.Press("#sign-in")
	w.Reads("main", "Continue to Daybook Pocket?") // it is public and on localhost
	w.Press("#continue-to-app")
	w.Reads(`#userinfo [data-claim="email"]`, devEmail)
	again.Interrupt(t)
	again.NoFaults(t)
}
