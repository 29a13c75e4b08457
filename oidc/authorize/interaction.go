package authorize

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// An interaction is an authorization request on its way through the pages: the request itself, when it began and what
// was done for it, sealed so that it can travel through the browser. Each page hands it back to /authorize, which asks
// Next again; the server keeps nothing. A request that was pushed is kept, and read again each time.
type interaction struct {
	Form      url.Values `json:"f,omitempty"`
	Pushed    []byte     `json:"p,omitempty"` // the digest of a request that is kept, instead of Form
	Signed    bool       `json:"o,omitempty"` // Form is that of a signed request object
	BeganAt   time.Time  `json:"b"`
	FirstAt   time.Time  `json:"a,omitzero"` // when it came to the first browser
	Selected  bool       `json:"s,omitempty"`
	SteppedUp bool       `json:"u,omitempty"`
	ShownTo   uuid.UUID  `json:"t,omitzero"`
	Confirmed uuid.UUID  `json:"c,omitzero"`
	Click     uuid.UUID  `json:"k,omitzero"`  // by which Confirmed confirmed it
	Browser   []byte     `json:"w,omitempty"` // digest of the browser's secret
}

const (
	sealForInteractions = "interaction"
	interactionLifetime = time.Hour
)

// ErrInteraction says that a page was kept open for too long, or that its hidden field was changed.
var ErrInteraction = refusal.New(
	"signin.expired", "the authorization request was suspended for too long, or changed",
)

// Suspend seals an authorization request, to be taken up by Resume in the same browser, which is known by a secret that
// its cookie holds; empty if it is not known.
func (p *Service) Suspend(a *Request, browser string) string {
	pending := interaction{
		BeganAt: a.BeganAt, FirstAt: a.firstAt, Selected: a.Selected, SteppedUp: a.SteppedUp, ShownTo: a.ShownTo,
		Confirmed: a.ConfirmedBy, Click: a.confirmation,
	}
	if a.pushed != nil {
		pending.Pushed = a.pushed.Hash
	} else {
		pending.Form, pending.Signed = a.form, a.signed
	}
	if browser != "" {
		pending.Browser = storage.Digest(browser)
	}
	encoded, err := json.Marshal(pending)
	if err != nil {
		panic(err) // maps of strings can be encoded
	}
	return base64.RawURLEncoding.EncodeToString(p.Seal.Close(sealForInteractions, encoded))
}

// Resume takes up an authorization request that Suspend sealed, reading it anew: what was registered meanwhile counts.
// In another browser it begins anew: the person there has done nothing for it, and must not be taken to have signed in
// or consented for somebody else's request. It returns ErrInteraction, or a *Refusal as Read does.
func (p *Service) Resume(ctx context.Context, sealed, browser string) (*Request, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrInteraction
	}
	encoded, err := p.Seal.Open(sealForInteractions, raw)
	if err != nil {
		return nil, ErrInteraction
	}
	var pending interaction
	if err := json.Unmarshal(encoded, &pending); err != nil {
		return nil, ErrInteraction
	}
	first := pending.FirstAt
	if first.IsZero() { // it was sealed by the version before
		first = pending.BeganAt
	}
	if p.Now().Sub(first) > interactionLifetime {
		return nil, ErrInteraction
	}
	if pending.Browser == nil || subtle.ConstantTimeCompare(pending.Browser, storage.Digest(browser)) != 1 {
		a, err := reader{p}.reread(ctx, pending, p.Now())
		if err == nil {
			a.firstAt = first // it does not live for longer by going from one browser to the next
		}
		return a, err
	}
	a, err := reader{p}.reread(ctx, pending, pending.BeganAt)
	if err != nil {
		return nil, err
	}
	a.firstAt = first
	a.Selected, a.SteppedUp, a.ShownTo = pending.Selected, pending.SteppedUp, pending.ShownTo
	if pending.Click != uuid.Nil { // without, it was sealed by the version before
		a.ConfirmedBy, a.confirmation = pending.Confirmed, pending.Click
	}
	return a, nil
}

// reread reads the request of an interaction as one that began at that time.
func (p reader) reread(ctx context.Context, pending interaction, began time.Time) (*Request, error) {
	if pending.Pushed == nil {
		a, err := p.identify(ctx, pending.Form, began)
		if err != nil {
			return nil, err
		}
		a.signed = pending.Signed
		return p.examine(ctx, a)
	}
	pushed, err := p.pushedRequest(ctx, pending.Pushed)
	if err != nil {
		return nil, refusePushed(err)
	}
	return p.takeUp(ctx, pushed, began, true) // the browser has come in time
}
