package operation

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// collected is what a collector was sent.
type collected struct {
	collector.UnimplementedTraceServiceServer

	mu       sync.Mutex
	services []string
	spans    []*otlp.Span
}

// Export takes spans by gRPC.
func (c *collected) Export(
	_ context.Context, request *collector.ExportTraceServiceRequest,
) (*collector.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.ResourceSpans {
		for _, attribute := range resource.Resource.Attributes {
			if attribute.Key == "service.name" {
				c.services = append(c.services, attribute.Value.GetStringValue())
			}
		}
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// ServeHTTP takes them by HTTP.
func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request := new(collector.ExportTraceServiceRequest)
	if err := proto.Unmarshal(body, request); err != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer, _ := c.Export(r.Context(), request)
	encoded, _ := proto.Marshal(answer)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(encoded)
}

// named returns the spans of a trace with a name.
func (c *collected) named(trace, name string) (spans []*otlp.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		if hex.EncodeToString(span.TraceId) == trace && span.Name == name {
			spans = append(spans, span)
		}
	}
	return spans
}

// within tells whether a span is part of another, perhaps of a part of it: fosite makes spans too.
func (c *collected) within(span, whole *otlp.Span) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !bytes.Equal(span.SpanId, whole.SpanId) {
		i := slices.IndexFunc(c.spans, func(around *otlp.Span) bool { return bytes.Equal(around.SpanId, span.ParentSpanId) })
		if i < 0 {
			return false
		}
		span = c.spans[i]
	}
	return true
}

// A request is one trace, with the queries and what Redis was asked; it goes on where the trace of a trusted proxy
// began, and nothing secret is in it.
func TestTraces(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
				sent := &collected{}
				var endpoint string
				if protocol == "grpc" {
					listener, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					server := grpc.NewServer()
					collector.RegisterTraceServiceServer(server, sent)
					go func() { _ = server.Serve(listener) }()
					t.Cleanup(server.Stop)
					endpoint = "http://" + listener.Addr().String()
				} else {
					server := httptest.NewServer(sent)
					t.Cleanup(server.Close)
					endpoint = server.URL
				}
				line, issuer := harness.NewCommandLine(t, databaseURL)
				line = append(
					line, "WICKET_REDIS_URL="+storagetest.Redis(t).URL(), "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint,
					"OTEL_EXPORTER_OTLP_PROTOCOL="+protocol, "OTEL_BSP_SCHEDULE_DELAY=50",
					"WICKET_TRUSTED_PROXIES=127.0.0.1,::1",
				)
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
				server := line.Serve(t, issuer)
				h, client := &harness.Server{Issuer: issuer}, harness.Client{
					Client: &clients.Client{ID: app.ID}, Secret: app.Secret,
				}
				code := h.NewBrowser(t).Code(t, client, nil)

				const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
				request, err := http.NewRequest(http.MethodPost, issuer+oidc.PathToken, strings.NewReader(url.Values{
					"grant_type": {oidc.GrantCode}, "code": {code}, "redirect_uri": {harness.RedirectURI},
					"code_verifier": {harness.CodeVerifier}, "client_id": {app.ID}, "client_secret": {app.Secret},
				}.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.Header.Set("Traceparent", "00-"+trace+"-"+caller+"-01")
				response, err := http.DefaultClient.Do(request)
				shown := harness.ReadPage(t, response, err)
				var tokens map[string]string
				_ = json.Unmarshal([]byte(shown.Text), &tokens)

				storagetest.Eventually(t, 10*time.Second, "the trace arrives", func() bool {
					return len(sent.named(trace, "POST /token")) == 1
				})
				span := sent.named(trace, "POST /token")[0]
				if hex.EncodeToString(span.ParentSpanId) != caller {
					t.Errorf("the request is not the caller's: parent %x", span.ParentSpanId)
				}
				for _, name := range []string{"SELECT codes", "redis"} {
					if found := sent.named(trace, name); len(found) == 0 || !sent.within(found[0], span) {
						t.Errorf("%d spans %q, none within the request", len(found), name)
					}
				}
				server.Interrupt(t)

				sent.mu.Lock()
				defer sent.mu.Unlock()
				if !slices.Contains(sent.services, "wicket") {
					t.Errorf("services %q", sent.services)
				}
				for _, span := range sent.spans {
					text := span.String()
					for what, secret := range map[string]string{"password": url.QueryEscape(harness.Password), "the code": code, "the client's secret": app.Secret, "an e-mail address": harness.Email,
						"an access token": tokens["access_token"], "a refresh token": tokens["refresh_token"], "a statement": "VALUES"} {
						if secret == "" || strings.Contains(text, secret) {
							t.Errorf("%s is in the trace: %s", what, text)
						}
					}
					if strings.Contains(text, "readyz") {
						t.Errorf("a look at our health is traced: %s", text)
					}
				}
				traced := 0
				for lines := bufio.NewScanner(strings.NewReader(server.ErrOut.String())); lines.Scan(); {
					var line struct {
						Path    string `json:"path"`
						TraceID string `json:"trace_id"`
					}
					if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
						t.Errorf("no JSON in the log: %s", lines.Text())
					}
					if line.Path == oidc.PathToken && line.TraceID == trace {
						traced++
					}
				}
				if traced != 1 {
					t.Errorf("%d lines of the log name the trace", traced)
				}
			})
		})
	}
}
