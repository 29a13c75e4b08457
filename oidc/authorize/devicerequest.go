package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/usercode"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Devices signs in devices that have no browser: RFC 8628. Begin is what the device asks, Open what a person types, and
// Approve or Deny what they say.
type Devices struct{ *Service }

// Devices are the devices without a browser.
func (p *Service) Devices() Devices { return Devices{p} }

// DeviceAuthorization is the answer to a device that asks to be signed in: RFC 8628, section 3.2.
type DeviceAuthorization struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int64  `json:"expires_in"` // seconds
	Interval                int64  `json:"interval"`   // the same
}

// deviceParameters are those of a request that count: what is asked for. Nothing is sent to a redirect URI, and there
// is no browser yet that could be asked to do something.
var deviceParameters = []string{"scope", "resource", "acr_values", "claims"}

// Begin takes what a device asks for, whose client authenticates as at the token endpoint: RFC 8628, section 3.1. It
// returns an *oidc.Error for what is wrong, or a *cache.Limited. The client is returned whenever it is known.
func (d Devices) Begin(ctx context.Context, r oidc.Request) (*DeviceAuthorization, *clients.Client, error) {
	form, err := oidc.Parameters(r.Form, "resource")
	if err != nil {
		return nil, nil, err
	}
	r.Form = form
	client, err := d.Clients.Admit(ctx, "device_authorization", r)
	if err != nil {
		return nil, client, err
	}
	if !slices.Contains(client.GrantTypes, oidc.GrantDeviceCode) {
		return nil, client, &oidc.Error{
			Code: "unauthorized_client", Status: http.StatusBadRequest,
			Description: "This client is not registered for " + oidc.GrantDeviceCode + ".",
			Reason:      oidc.Reason{Code: oidc.NoGrantType, Expected: client.GrantTypes, Got: []string{oidc.GrantDeviceCode}},
		}
	}
	kept := url.Values{}
	for _, name := range deviceParameters {
		if values, given := form[name]; given {
			kept[name] = values
		}
	}
	if size := len(kept.Encode()); size > maxPushed {
		return nil, client, &oidc.Error{
			Code: "invalid_request", Status: http.StatusRequestEntityTooLarge,
			Description: fmt.Sprintf("The request has %d bytes, and may have %d.", size, maxPushed),
		}
	}
	a := &Request{Client: client, form: kept}
	if refused := d.check(ctx, a, atDevice); refused != nil {
		if refused.Status == 0 {
			refused.Status = http.StatusBadRequest
		}
		return nil, client, refused
	}
	if err := d.limitKept(ctx, "device_authorization", client); err != nil {
		return nil, client, err
	}
	answer, err := d.keep(ctx, client, kept)
	return answer, client, err
}

// keep writes a request, and returns the codes by which it is known.
func (d Devices) keep(ctx context.Context, client *clients.Client, form url.Values) (*DeviceAuthorization, error) {
	now, actor := d.Now(), audit.ActorOf(ctx)
	deviceCode := storage.NewSecret()
	for {
		userCode := usercode.New()
		err := d.Database.Append(ctx, d.Database.Draft().NewInsert().Model(&grants.DeviceRequest{
			DeviceHash: storage.Digest(deviceCode), UserCode: d.userCodeHashes(userCode)[0], ClientID: client.ID,
			Form: form, IP: actor.IP, UserAgent: identity.Device{UserAgent: actor.UserAgent}.StoredUserAgent(),
			CreatedAt: now, ExpiresAt: now.Add(grants.DeviceCodeLifetime), Status: grants.DevicePending,
		}))
		if storage.Violates(err, "device_requests") {
			continue // another device has this user code
		} else if err != nil {
			return nil, oidc.ServerError(fmt.Errorf("keep a device's request: %w", err))
		}
		at, shown := d.Issuer+oidc.PathDevice, usercode.Shown(userCode)
		return &DeviceAuthorization{
			DeviceCode: deviceCode, UserCode: shown, VerificationURI: at,
			VerificationURIComplete: at + "?" + url.Values{"user_code": {shown}}.Encode(),
			ExpiresIn:               int64(grants.DeviceCodeLifetime.Seconds()),
			Interval:                int64(grants.DeviceCodeInterval.Seconds()),
		}, nil
	}
}

// userCodeHashes are what a user code is found by. A digest would give it away, for there are few of them: they are
// HMACs with each of the master keys.
func (p *Service) userCodeHashes(code string) [][]byte {
	return p.Seal.Derive("user code", []byte(code))
}

// ErrUserCode says that a code is no code of a device that waits: it was mistyped, has expired, or was answered.
// Within it nothing can be told apart.
var ErrUserCode = errors.New("no device waits with this code")
