package management

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// nameServer answers every question for an address with one, until the test ends: Go asks nobody else meanwhile. So no
// other test may run beside one that uses it.
type nameServer struct {
	address atomic.Pointer[[4]byte]
	asked   atomic.Int64
}

func serveNames(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, ended := new(nameServer), make(chan struct{})
	go func() { defer close(ended); s.serve(conn) }()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = conn.Close()
		<-ended
	})
	return s
}

func (s *nameServer) serve(conn net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		var question dnsmessage.Message
		if err != nil || question.Unpack(buffer[:n]) != nil || len(question.Questions) != 1 {
			continue
		}
		asked := question.Questions[0]
		answer := dnsmessage.Message{
			Header: dnsmessage.Header{ID: question.ID, Response: true, Authoritative: true}, Questions: question.Questions,
		}
		if asked.Type == dnsmessage.TypeA {
			s.asked.Add(1)
			answer.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Type: asked.Type, Class: asked.Class},
				Body:   &dnsmessage.AResource{A: *s.address.Load()},
			}}
		}
		if packed, err := answer.Pack(); err == nil {
			_, _ = conn.WriteTo(packed, from)
		}
	}
}

// A name that was public when the webhook was made, and is this machine's when it is told, leads nowhere: the address
// is looked at when the connection is made. Where the operator allows it, it leads here.
func TestWebhookIsNotReboundToThisMachine(t *testing.T) {
	names := serveNames(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var reached atomic.Int64
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				reached.Add(1)
			}
		},
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	port := listener.Addr().(*net.TCPAddr).Port
	for _, allowed := range []bool{false, true} {
		t.Run(fmt.Sprintf("allowed %t", allowed), func(t *testing.T) {
			h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) { c.AllowPrivate = allowed })
			h.TellEvents(t)
			c, scheme := keyFor(t, h, administrators.Owner), "https"
			if allowed {
				scheme = "http"
			}
			names.address.Store(&[4]byte{93, 184, 216, 34})
			found, err := net.DefaultResolver.LookupHost(t.Context(), "rebind.example")
			if err != nil || found[0] != "93.184.216.34" {
				t.Fatalf("the name leads to %v, %v", found, err)
			}
			c.must(t, http.StatusCreated, http.MethodPut, hook, map[string]any{
				"url": fmt.Sprintf("%s://rebind.example:%d/", scheme, port), "types": []string{"*"},
			}, "If-None-Match", "*")
			names.address.Store(&[4]byte{127, 0, 0, 1})
			before, asked := reached.Load(), names.asked.Load()
			c.must(t, http.StatusNoContent, http.MethodPost, hook+"/actions/test", nil)
			var tested map[string]any
			storagetest.Eventually(t, time.Minute, "an attempt was made", func() bool {
				got := c.must(t, http.StatusOK, http.MethodGet, hook+"/deliveries", nil)
				for _, item := range got.JSON["items"].([]any) {
					if tested = item.(map[string]any); tested["type"] == "webhook.tested" {
						return tested["state"] == "pending" && tested["attempts"] != 0.0 || tested["state"] == "delivered"
					}
				}
				return false
			})
			if names.asked.Load() == asked {
				t.Error("the name was not looked up for the attempt")
			}
			if got := reached.Load() > before; got != allowed {
				t.Errorf("this machine was reached: %t, noted as %v", got, tested)
			}
			if !allowed && !strings.Contains(tested["error"].(string), "not on the public internet") {
				t.Errorf("noted as %v", tested)
			}
		})
	}
}

// An administrator who calls the API cannot have this server look into its own network; who has its machine can.
func TestOnlyOperatorsMeanPrivateAddresses(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.TellEvents(t)
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		got := c.must(t, http.StatusUnprocessableEntity, http.MethodPut, hook,
			map[string]any{"url": receiver.URL, "types": []string{"*"}}, "If-None-Match", "*")
		if got.code() != "webhook.plain" {
			t.Error(got.Text)
		}
		private := strings.Replace(receiver.URL, "http://localhost", "https://127.0.0.1", 1)
		c.must(t, http.StatusCreated, http.MethodPut, hook, map[string]any{"url": private, "types": []string{"*"}},
			"If-None-Match", "*")
		c.must(t, http.StatusNoContent, http.MethodPost, hook+"/actions/test", nil)
		storagetest.Eventually(t, time.Minute, "the attempt is refused", func() bool {
			got := c.must(t, http.StatusOK, http.MethodGet, hook+"/deliveries?state=pending", nil)
			return strings.Contains(got.Text, "not on the public internet")
		})
		byOperator(t, h, receiver)
		receiver.Wait("webhook.changed")
	})
}

// byOperator has an operator write the URL of the webhook ops.
func byOperator(t *testing.T, h *harness.Server, to *harness.WebhookReceiver) {
	t.Helper()
	_, err := h.Webhooks.Put(t.Context(), manage.Operator("operator:test"), "ops", webhooks.WebhookSettings{
		URL: to.URL, Types: []string{"*"},
	}, "", false)
	if err != nil {
		t.Fatal(err)
	}
}
