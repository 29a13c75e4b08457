package protocol

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/registration"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// mcpServer is an MCP server that takes tokens of Wicket for itself alone.
type mcpServer struct {
	*httptest.Server

	t       *testing.T
	address string // the identifier of the API
	tokens  *gooidc.IDTokenVerifier
	issuer  string
}

func startMCPServer(t *testing.T, h *harness.Server) *mcpServer {
	t.Helper()
	s := &mcpServer{t: t, issuer: h.Issuer}
	s.Server = httptest.NewUnstartedServer(s)
	s.address = "http://" + s.Listener.Addr().String() + "/mcp"
	provider, err := gooidc.NewProvider(t.Context(), h.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	// An access token is verified as an ID token is: issuer, audience, signature, time.
	s.tokens = provider.Verifier(&gooidc.Config{ClientID: s.address, SupportedSigningAlgs: []string{gooidc.ES256}})
	if err := h.APIs.Create(t.Context(), &apis.API{
		Identifier: s.address, Name: "Tools", IsOpen: true, Scopes: []apis.Scope{{Name: "tools", Words: "Use your tools"}},
	}); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

const resourceMetadata = "/.well-known/oauth-protected-resource/mcp"

func (s *mcpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == resourceMetadata {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"resource": s.address, "authorization_servers": []string{s.issuer},
			"scopes_supported": []string{"tools", "offline_access"},
		})
		return
	}
	if r.URL.Path != "/mcp" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, err := s.tokens.Verify(r.Context(), token); err != nil {
		w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+s.URL+resourceMetadata+`"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var call struct {
		ID     any    `json:"id"`
		Method string `json:"method"`
		Params struct {
			Version string `json:"protocolVersion"`
		} `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil || call.Method != "initialize" {
		w.WriteHeader(http.StatusAccepted) // a notification; nothing else is called
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": map[string]any{
		"protocolVersion": call.Params.Version, "capabilities": map[string]any{},
		"serverInfo": map[string]any{"name": "protected", "version": "1.0.0"},
	}})
}

// An agent reads and writes at the sample app of wicket dev.
func TestAgentAtTheSampleApp(t *testing.T) {
	t.Parallel()
	port, appPort := harness.FreePort(t), harness.FreePort(t)
	harness.CommandLine{}.Start(t, fmt.Sprintf("http://localhost:%d/readyz", port),
		"dev", "--port", fmt.Sprint(port), "--app-port", fmt.Sprint(appPort), "--data", t.TempDir())
	runNode(t, "mcp", fmt.Sprintf("MCP_SERVER=http://localhost:%d/mcp", appPort), "SERVER_NAME=daybook",
		`TOOLS=[["read_notes", {}, {"notes": []}], ["write_note", {"text": "milk"}, {"notes": ["milk"]}]]`,
		"CLIENT_DOCUMENT=", "USERNAME=demo", "PASSWORD=open the wicket")
}

// The SDKs of the Model Context Protocol sign somebody in, by a document and by registration, knowing nothing but the
// address of the server that it wants to call.
func TestHostsOfTheModelContextProtocol(t *testing.T) {
	t.Parallel()
	for name, byDocument := range map[string]bool{"document": true, "registration": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
				h := harness.Start(t, databaseURL, func(c *harness.Config) {
					c.ClientRegistration, c.AllowPrivate = registration.Open, true
					c.ClientDocuments = registration.Documents{Any: byDocument}
				})
				document := ""
				if byDocument {
					apps := startHost(t)
					document = apps.URL + "/client.json"
					apps.serves(document, nil)
				}
				for _, host := range []string{"mcp", "mcp-python"} {
					if host == "mcp-python" {
						harness.NeedPythonPackages(t)
					}
					runNode(t, host, "MCP_SERVER="+startMCPServer(t, h).address, "CLIENT_DOCUMENT="+document,
						"USERNAME="+harness.Username, "PASSWORD="+harness.Password)
				}
			})
		})
	}
}
