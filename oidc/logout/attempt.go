package logout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/outgoing"
)

const (
	attemptTimeout = 5 * time.Second // an app that takes longer would keep others waiting
	recordTimeout  = 10 * time.Second
	maxSaid        = 200 // bytes of what an app or the network says that are kept
)

// Deliver makes an attempt at a delivery, if one is due, that takes no longer than patience. It returns when the next
// is due, or the zero time: there is nothing more to do.
func (p *Service) Deliver(ctx context.Context, id uuid.UUID, patience time.Duration) (next time.Time, err error) {
	d, err := p.claim(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		d, err = p.delivery(ctx, id)
		if err != nil || d == nil || !d.isOpen() {
			return time.Time{}, err
		}
		return d.NextAt, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("begin to tell an app of a logout: %w", err)
	}
	failed, err := p.tell(ctx, d, patience)
	if err != nil {
		return time.Time{}, err
	}
	d.settle(failed, p.Now())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	event := "delivered"
	if failed != nil {
		event = p.logFault(ctx, d)
	}
	if err := p.record(ctx, d, event); err != nil {
		return time.Time{}, fmt.Errorf("note that an app was told of a logout: %w", err)
	}
	if !d.isOpen() {
		return time.Time{}, nil
	}
	return d.NextAt, nil
}

// logFault says in the log why an attempt has failed, and returns the event that it is. The host alone is named: what
// follows may be a secret.
func (p *Service) logFault(ctx context.Context, d *Delivery) (event string) {
	about := []any{
		"delivery_id", d.ID, "client_id", d.ClientID, "host", outgoing.HostOf(d.URI), "attempt", d.Attempts,
		"error", d.LastError,
	}
	if d.State == DeliveryFailed {
		p.Log.ErrorContext(ctx, "an app was not told of a logout, and no more attempts are made", about...)
		return "given_up"
	}
	p.Log.WarnContext(ctx, "an app could not be told of a logout yet", append(about, "next_at", d.NextAt)...)
	return "retried"
}

// tell sends a logout token to where the app wants it now, or, where the app was deleted, to where it wanted it, unless
// the token would have to be encrypted. The error is ours, the fault is the app's.
func (p *Service) tell(ctx context.Context, d *Delivery, patience time.Duration) (*fault, error) {
	client, err := p.Clients.ByID(ctx, d.ClientID)
	switch {
	case err == nil && client.BackchannelLogoutURI == "":
		return &fault{reason: "the app has no back-channel logout URI any more", final: true}, nil
	case err == nil:
		d.URI, d.Alg = client.BackchannelLogoutURI, client.IDTokenAlg
		d.ByOperator = client.Origin == clients.OriginOperator
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	case d.IsEncrypted: // nobody is to read it on the way
		return &fault{reason: "the app was deleted, and with it the keys to encrypt its logout tokens with", final: true}, nil
	}
	token, err := p.newToken(ctx, d, client)
	if refused := (*oidc.Error)(nil); errors.As(err, &refused) {
		return &fault{reason: outgoing.Said(refused.Description, maxSaid)}, nil // its keys may be there later
	} else if err != nil {
		return nil, fmt.Errorf("sign a logout token: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.post(ctx, d, token), nil
}

// post sends a logout token: Back-Channel Logout, section 2.5.
func (p *Service) post(ctx context.Context, d *Delivery, token string) *fault {
	body := url.Values{"logout_token": {token}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URI, strings.NewReader(body))
	if err != nil {
		return &fault{reason: "the back-channel logout URI is not a URL", final: true}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Close = true // each attempt has a client of its own, which nothing uses again
	outbound := storage.Outbound{AllowPrivate: p.AllowPrivate, Timeout: attemptTimeout}
	if d.ByOperator {
		outbound.Target = d.URI
	}
	client := outbound.Client()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	switch {
	case response != nil && err != nil: // a redirect, which is not followed
		reason := fmt.Sprintf("the app answered %d, and redirects are not followed", response.StatusCode)
		return &fault{reason: reason, final: true}
	case errors.Is(err, storage.ErrPrivateAddress):
		return &fault{reason: storage.ErrPrivateAddress.Error(), final: true}
	case err != nil:
		if asked := (*url.Error)(nil); errors.As(err, &asked) {
			err = asked.Err // without the URL
		}
		return &fault{reason: outgoing.Said(err.Error(), maxSaid)}
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxSaid)) // the status says it all
	return faultOf(response.StatusCode, outgoing.Said(string(answer), maxSaid))
}
