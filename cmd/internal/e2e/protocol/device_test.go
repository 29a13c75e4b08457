package protocol

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// A device that others wrote for Node.js is signed in: it shows the address of the page, and asks until it gets tokens.
func TestNodeDevice(t *testing.T) {
	t.Parallel()
	harness.NeedNPMPackages(t)
	node, err := exec.LookPath("node")
	if err != nil {
		harness.LeaveOut(t, "Node.js is not installed (Debian: apt-get install nodejs)")
	}
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := &clients.Client{
			Name: "Television", AuthMethod: clients.AuthNone, GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
		}
		if _, err := h.Clients.Create(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		script := exec.CommandContext(ctx, node, "--dns-result-order=ipv4first", "device.mjs")
		script.Dir = harness.ClientsFolder
		script.Env = append(os.Environ(), "ISSUER="+h.Issuer, "CLIENT_ID="+client.ID, "EMAIL="+harness.Email)
		out, err := script.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		script.Stderr = harness.LogWriter(t)
		if err := script.Start(); err != nil {
			t.Fatal(err)
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		for lines := bufio.NewScanner(out); lines.Scan(); {
			t.Log(lines.Text())
			if page, found := strings.CutPrefix(lines.Text(), "OPEN "); found {
				b.DecideDevice(t, b.Get(t, page), "approve")
			}
		}
		if err := script.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// What a device hears of a request that cannot be, and how the answers to it look.
func TestAnswersToDevices(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		right := url.Values{"client_id": {client.ID}, "client_secret": {client.Secret}, "scope": {"openid"}}
		made := postForm(t, h, oidc.PathDeviceRequest, "", right)
		if made.Status != http.StatusOK || made.Header.Get("Cache-Control") != "no-store" ||
			made.JSON["expires_in"] != 600.0 || made.JSON["interval"] != 5.0 || len(made.Text("device_code")) < 43 {
			t.Errorf("%d %v %v", made.Status, made.Header, made.JSON)
		}
		for name, c := range map[string]struct {
			change url.Values
			status int
			want   string
		}{
			"a wrong secret":    {url.Values{"client_secret": {"x"}}, 401, "invalid_client"},
			"a doubled scope":   {url.Values{"scope": {"a", "b"}}, 400, "invalid_request"},
			"no UTF-8":          {url.Values{"scope": {"\xff"}}, 400, "invalid_request"},
			"a NUL":             {url.Values{"scope": {"openid\x00"}}, 400, "invalid_request"},
			"an unknown scope":  {url.Values{"scope": {"magic"}}, 400, "invalid_scope"},
			"more than is kept": {url.Values{"claims": {strings.Repeat("x", 8<<10)}, "acr_values": {strings.Repeat("y", 8<<10)}}, 413, "invalid_request"},
			"huge":              {url.Values{"scope": {strings.Repeat("x", 70<<10)}}, 400, "invalid_request"},
		} {
			form := url.Values{}
			for _, from := range []url.Values{right, c.change} {
				for parameter, values := range from {
					form[parameter] = values
				}
			}
			if got := postForm(t, h, oidc.PathDeviceRequest, "", form); got.Status != c.status || got.Text("error") != c.want {
				t.Errorf("%s: %d %v, want %d %s", name, got.Status, got.JSON, c.status, c.want)
			}
		}
		for name, change := range map[string]func(*http.Request){
			"GET":  func(r *http.Request) { r.Method = http.MethodGet },
			"JSON": func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		} {
			request, err := http.NewRequest(http.MethodPost, h.Issuer+oidc.PathDeviceRequest, strings.NewReader(right.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			change(request)
			got := h.Send(t, request)
			if got.StatusCode != http.StatusMethodNotAllowed && got.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %s", name, got.Status)
			}
		}
	})
}
