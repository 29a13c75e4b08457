package webhooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/outgoing"
)

const (
	attemptTimeout = 10 * time.Second // Standard Webhooks, "Operational considerations": 15 to 30 seconds are enough
	recordTimeout  = 10 * time.Second
	maxAnswer      = 1 << 10 // bytes of an answer that are kept
)

// outcome is what came of an attempt.
type outcome struct {
	status int    // 0: there was no answer
	answer string // how it began
	fault  string // why it failed; empty: it did not
	final  bool   // another attempt would fare no better
	gone   bool   // the receiver wants no more
	unsent bool   // it is not the receiver's fault
}

// deliver makes an attempt at a delivery, if one is due. If none is, another job has made it, or this one came too
// early and comes again.
func (s *Store) deliver(ctx context.Context, w *row, id uuid.UUID) error {
	d, err := s.claim(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return comeAgain(ctx, s, id)
	} else if err != nil {
		return fmt.Errorf("begin to tell a webhook of an event: %w", err)
	}
	got, err := s.tell(ctx, w, d)
	if err != nil {
		return err
	}
	d.settle(got, s.Now())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := s.record(ctx, d, w, got); err != nil {
		return fmt.Errorf("note that a webhook was told of an event: %w", err)
	}
	if got.fault != "" {
		s.Log.WarnContext(ctx, "a webhook was not told of an event", "webhook", w.ID, "delivery_id", d.ID,
			"host", outgoing.HostOf(w.URL), "attempt", d.Attempts, "error", d.Error, "state", d.State)
	}
	return nil
}

// comeAgain has a job come again whose attempt is not due yet by the time that replicas share.
func comeAgain(ctx context.Context, s *Store, id uuid.UUID) error {
	d := new(delivery)
	err := storage.NotFound(
		s.Database.Reader().NewSelect().Model(d).Where("id = ? AND state = ?", id, Pending).Scan(ctx),
	)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return river.JobSnooze(max(0, d.NextAt.Sub(s.Now())))
}

// tell sends an event to a webhook. The error is ours; what is the receiver's is in the outcome.
func (s *Store) tell(ctx context.Context, w *row, d *delivery) (outcome, error) {
	if !w.IsActive {
		return outcome{fault: ErrDisabled.Error(), final: true, unsent: true}, nil
	}
	if err := s.checkURL(w.URL, w.ByOperator); err != nil { // the operator may allow less by now
		return outcome{fault: err.Error(), final: true, unsent: true}, nil
	}
	event, err := s.Events.Find(ctx, d.Sequence, w.TellsValues)
	if errors.Is(err, storage.ErrNotFound) {
		return outcome{fault: "its line is in the audit trail no longer", final: true, unsent: true}, nil
	} else if err != nil {
		return outcome{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	request, err := s.request(ctx, w, event)
	if err != nil {
		return outcome{}, err
	}
	return s.post(request, w), nil
}

// request writes and signs the message. The time is this machine's, as the receiver compares it with theirs.
func (s *Store) request(ctx context.Context, w *row, event *events.Event) (*http.Request, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body.Bytes()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Wicket-Webhooks")
	request.Close = true // each attempt has a client of its own, which nothing uses again
	now := s.Now()
	secrets, err := s.secrets(w, now)
	if err != nil {
		return nil, fmt.Errorf("the secret of webhook %s: %w", w.ID, err)
	}
	return request, outgoing.Sign(request, event.ID.String(), now, body.Bytes(), secrets...)
}

// post sends a message, and says what came of it: any 2xx takes it, and 410 says that there is nobody any more
// (Standard Webhooks, "Operational considerations").
func (s *Store) post(request *http.Request, w *row) outcome {
	outbound := storage.Outbound{AllowPrivate: s.AllowPrivate, Timeout: attemptTimeout}
	if w.ByOperator || request.URL.Scheme == "http" { // which never leads to a public address
		outbound.Target = w.URL
	}
	client := outbound.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	switch {
	case response != nil && err != nil: // a redirect, which is not followed
		return outcome{
			status: response.StatusCode, fault: fmt.Sprintf("it answered %d, and redirects are not followed", response.StatusCode),
		}
	case errors.Is(err, storage.ErrPrivateAddress):
		return outcome{fault: storage.ErrPrivateAddress.Error()}
	case err != nil:
		if asked := (*url.Error)(nil); errors.As(err, &asked) {
			err = asked.Err // without the URL
		}
		return outcome{fault: outgoing.Said(err.Error(), maxAnswer)}
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // the status says it all
	got := outcome{status: response.StatusCode, answer: outgoing.Said(string(answer), maxAnswer)}
	if got.status/100 != 2 {
		got.fault = fmt.Sprintf("it answered %d", got.status)
	}
	got.gone = got.status == http.StatusGone
	got.final = got.gone
	return got
}
