package clients

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

var errWrongClient = errors.New("the client is unknown, uses another method, or its credentials are wrong")
var errAssertionTime = errors.New("client_assertion has expired, or is not valid yet")

// Admit finds out which client sends a request to an endpoint, and counts the request for it. It returns an *Error, or
// the client with a *storage.Limited.
func (p *Store) Admit(ctx context.Context, endpoint string, r oidc.Request) (*Client, error) {
	client, mark, err := p.authenticate(ctx, r)
	if err != nil {
		return nil, err
	}
	subject := client.ID
	if client.IsPublic() { // anybody may use its name: each network has an allowance of its own
		subject += " from " + identity.Device{IP: audit.ActorOf(ctx).IP}.Source()
	}
	if err := p.Limits.Take(ctx, endpoint, cache.ByClient, subject); err != nil {
		return client, err // and the assertion, if there is one, can come again
	}
	if mark == nil {
		return client, nil
	}
	if err := p.Database.Mark(ctx, mark); errors.Is(err, storage.ErrUsedBefore) {
		return nil, p.invalidClient(false, errors.New("client_assertion was used before: its jti must be new each time"))
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return client, nil
}

// authenticate finds out which client sends a request: RFC 6749, section 2.3, and OpenID Connect Core, section 9. A
// client uses a method that it is registered for, and only one at once. An unknown client, another method and a wrong
// secret get the same answer after the same work. mark is that of an assertion, which must be set; nil: there is none.
func (p *Store) authenticate(
	ctx context.Context, r oidc.Request,
) (client *Client, mark *storage.OneTimeMark, err error) {
	basicID, basicSecret, basic, err := basicCredentials(r.Header.Values("Authorization"))
	if err != nil {
		return nil, nil, p.invalidClient(true, err)
	}
	id, secret := r.Form.Get("client_id"), r.Form.Get("client_secret")
	assertion, posted := r.Form.Get("client_assertion"), secret != ""
	if count(basic, posted, assertion != "") > 1 {
		return nil, nil, p.invalidClient(basic, errors.New("use one method of client authentication, not several"))
	}
	if basic && id != "" && id != basicID {
		return nil, nil, p.invalidClient(true, errors.New("client_id differs from the Authorization header"))
	}
	if assertion != "" {
		client, mark, err := p.verifyAssertion(ctx, r)
		if err != nil {
			return nil, nil, p.invalidClient(false, err)
		}
		return client, mark, nil
	}
	method := AuthNone
	switch {
	case basic:
		id, secret, method = basicID, basicSecret, AuthBasic
	case posted:
		method = AuthPost
	}
	if id == "" {
		return nil, nil, p.invalidClient(basic, errors.New("the request names no client"))
	}
	client, err = p.proven(ctx, id, func(client *Client) error {
		right := isSecretOf(client, secret, p.Now()) || method == AuthNone
		if !right || !client.takes(method) {
			refused := p.invalidClient(basic, errWrongClient).
				Because(oidc.WrongCredentials, []string{client.AuthMethod}, method, oidc.SentName(id))
			refused.Reason.ClientID = client.ID
			return refused
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if origin := r.Origin(); origin != "" && origin != oidc.OriginOf(p.Issuer) && !client.allowsOrigin(origin) {
		return nil, nil, &oidc.Error{Code: "invalid_request", Status: http.StatusForbidden,
			Reason:      oidc.Reason{Code: oidc.UnregisteredOrigin, ClientID: client.ID, Got: []string{oidc.SentURI(origin)}},
			Description: "Pages of this origin may not use this client. Register the origin, or a redirect URI there."}
	}
	return client, nil, nil
}

// proven returns the client with that id, of which proves returns nil; or what proves returns, also of one that does
// not exist. A client that is remembered and does not prove who it is may have changed since, or have been deleted and
// made again: then it is read afresh, so seldom that wrong credentials are no burden to the database.
func (p *Store) proven(ctx context.Context, id string, proves func(*Client) error) (*Client, error) {
	client, err := p.ByID(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, proves(&Client{})
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	fault := enabled(p, client, proves)
	if fault == nil || !p.cache.mayLookAgain(id, p.Now()) {
		return client, fault
	}
	fresh, err := p.Fresh(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		p.cache.forget(id)
		return nil, fault
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	p.cache.put(fresh, p.Now())
	if fresh.ModifiedAt.Equal(client.ModifiedAt) {
		return nil, fault
	}
	return fresh, enabled(p, fresh, proves)
}

// enabled returns what proves does, and refuses a client that is disabled, once it has proved which one it is.
func enabled(p *Store, client *Client, proves func(*Client) error) error {
	if err := proves(client); err != nil || !client.IsDisabled {
		return err
	}
	return p.invalidClient(false, errors.New("the client is disabled"))
}

func count(flags ...bool) (n int) {
	for _, flag := range flags {
		if flag {
			n++
		}
	}
	return n
}

// basicCredentials reads the Authorization header of RFC 6749, section 2.3.1: both parts are form-encoded first.
func basicCredentials(headers []string) (id, secret string, ok bool, err error) {
	malformed := errors.New("the Authorization header is malformed")
	if len(headers) > 1 {
		return "", "", false, malformed
	}
	scheme, encoded, _ := strings.Cut(strings.Join(headers, ""), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false, malformed
	}
	id, secret, found := strings.Cut(string(decoded), ":")
	if !found {
		return "", "", false, malformed
	}
	id, idFault := url.QueryUnescape(id)
	secret, secretFault := url.QueryUnescape(secret)
	if errors.Join(idFault, secretFault, oidc.CheckText(id), oidc.CheckText(secret)) != nil {
		return "", "", false, malformed
	}
	return id, secret, true, nil
}

// invalidClient is the 401 of RFC 6749, section 5.2; it names the scheme that the client tried.
func (p *Store) invalidClient(basic bool, cause error) *oidc.Error {
	err := &oidc.Error{
		Code: "invalid_client", Description: "Client authentication failed: " + cause.Error() + ".",
		Status: http.StatusUnauthorized, Cause: cause, Reason: oidc.Reason{Code: oidc.BadAuthentication},
	}
	if errors.Is(cause, errAssertionTime) {
		err.Reason.Code = oidc.LateAssertion
	}
	if known := (*oidc.Error)(nil); errors.As(cause, &known) {
		return known
	}
	if basic {
		err.Challenge = fmt.Sprintf("Basic realm=%q", p.Issuer)
	}
	return err
}
