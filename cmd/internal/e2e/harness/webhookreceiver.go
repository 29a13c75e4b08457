package harness

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// TellEvents has events numbered and told until the test ends, as a server that serves does.
func (h *Server) TellEvents(t testing.TB) {
	t.Helper()
	h.Events.Every = 20 * time.Millisecond
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Events.Watch(ctx) })
	running.Go(func() { h.Webhooks.Watch(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// checkEventNames fails the test where the audit trail holds lines that the catalogue of events does not name.
func (h *Server) checkEventNames(t testing.TB) {
	t.Helper()
	var kinds []struct{ Entity, Action string }
	err := h.Database.Reader().NewSelect().Table("audit_trail").Distinct().Column("entity", "action").
		Scan(context.Background(), &kinds)
	if err != nil {
		t.Logf("the kinds of lines of the audit trail: %v", err) // the test has taken the database away
	}
	for _, kind := range kinds {
		if _, known := events.NameOf(kind.Entity, kind.Action); !known {
			t.Errorf("no event is named for %s %s: give it a place in manage/events/catalogue.go", kind.Entity, kind.Action)
		}
	}
}

// Told is an event as a webhook has got it.
type Told struct {
	events.Event

	Body   string
	Header http.Header
}

// WebhookReceiver is a program that is told of events. It verifies them with a library that others wrote, and answers
// as Answer says; nil: 200.
type WebhookReceiver struct {
	URL    string
	Answer func(w http.ResponseWriter, r *http.Request, nth int)

	t       testing.TB
	mu      sync.Mutex
	secrets []string
	told    []Told
}

// NewWebhookReceiver serves one until the test ends. It knows secrets when Know is called.
func NewWebhookReceiver(t testing.TB) *WebhookReceiver {
	t.Helper()
	r := &WebhookReceiver{t: t}
	r.URL = ServeApp(t, r) + "/hook?key=hidden"
	return r
}

// Know makes a secret one that messages must be signed with, each of those that are known.
func (r *WebhookReceiver) Know(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = secrets
}

// ServeHTTP takes an event.
func (r *WebhookReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Errorf("read an event: %v", err)
	}
	told := Told{Body: string(body), Header: request.Header}
	if err := json.Unmarshal(body, &told.Event); err != nil {
		r.t.Errorf("an event is not JSON: %v", err)
	}
	r.mu.Lock()
	for _, secret := range r.secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = verifier.Verify(body, request.Header)
		}
		if err != nil {
			r.t.Errorf("an event is refused: %v", err)
		}
	}
	r.told = append(r.told, told)
	nth, answer := len(r.told), r.Answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, request, nth)
	}
}

// Told are the events that have come, in their order, repeated ones too.
func (r *WebhookReceiver) Told() []Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// Wait waits until an event of a type has come, and returns the first.
func (r *WebhookReceiver) Wait(name string) (found Told) {
	r.t.Helper()
	storagetest.Eventually(r.t, time.Minute, "the webhook is told "+name, func() bool {
		told := r.Told()
		at := slices.IndexFunc(told, func(one Told) bool { return one.Type == name })
		if at >= 0 {
			found = told[at]
		}
		return at >= 0
	})
	return found
}
