package registration

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// How many apps may register without a token: from one network, and all of them together. Hosts of the Model Context
// Protocol register anew for each connection.
const (
	perNetwork   = 60
	perNetworkIn = time.Hour
	altogether   = 20_000
	altogetherIn = 24 * time.Hour
)

// changesPerHour is how often an app may change its metadata: each change is a line in the audit trail.
const changesPerHour = 20

var errQuota = errors.New("too many apps have registered")

// Register registers an app by its metadata, a JSON object (RFC 7591, section 3.1), and returns what the app is told.
// token is the initial access token that it shows, or empty. It returns an *oidc.Error for what is refused.
func (s *Service) Register(ctx context.Context, object []byte, token string) (Information, error) {
	if s.Mode == Token && token == "" {
		return nil, badToken("An initial access token of the operator's is needed to register an app here.")
	}
	policy, err := s.policyOf(ctx, token)
	if err != nil {
		return nil, err
	}
	client, err := s.read(ctx, object, policy, func(client *clients.Client) {
		client.Origin = clients.OriginOpen
		if token != "" {
			client.Origin = clients.OriginToken
		}
	})
	if err != nil {
		return nil, err
	}
	if err := s.checkSector(ctx, client, nil); err != nil {
		return nil, err
	}
	secret, registrationToken, now := "", storage.NewSecret(), s.Now()
	if client.HasSecret() {
		secret = storage.NewSecret()
		client.SecretHash = storage.Digest(secret)
	}
	client.RegistrationHash = storage.Digest(registrationToken)
	if client.RegistrationPolicy, err = json.Marshal(policy); err != nil {
		return nil, oidc.ServerError(err)
	}
	ctx = audit.AsNamed(ctx, client.Actor())
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.admit(ctx, tx, now, token); err != nil {
			return err
		}
		return clients.Insert(ctx, tx, now, client)
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errUsedUp
	case errors.Is(err, errQuota):
		return nil, tooMany
	case err != nil:
		return nil, oidc.ServerError(err)
	}
	return s.describe(client, registrationToken, secret)
}

var tooMany = &oidc.Error{
	Code: oidc.CodeUnavailable, Status: http.StatusTooManyRequests,
	Description: "Too many apps have made themselves known lately. Try again later.",
}

var errUsedUp = badToken("The initial access token is not valid: it is unknown, has expired or was used up.")

// policyOf is the policy of an initial access token. Whether it still has uses left is seen when it is used.
func (s *Service) policyOf(ctx context.Context, token string) (Policy, error) {
	if token == "" {
		return Policy{}, nil
	}
	found := new(InitialAccessToken)
	err := s.Database.Reader().NewSelect().Model(found).Where("hash = ?", storage.Digest(token)).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return Policy{}, errUsedUp
	} else if err != nil {
		return Policy{}, oidc.ServerError(err)
	}
	return found.Policy, nil
}

// admit lets an app register as part of tx: by its token, or as one of those that may without. It returns
// storage.ErrNotFound for a token that is not good, and errQuota.
func (s *Service) admit(ctx context.Context, tx bun.Tx, now time.Time, token string) error {
	if token != "" {
		_, err := useToken(ctx, tx, now, token)
		return err
	}
	return s.admitStranger(ctx, tx, now)
}

// admitStranger lets an app make itself known without a token as part of tx, or returns errQuota.
func (s *Service) admitStranger(ctx context.Context, tx bun.Tx, now time.Time) error {
	quotas := []storage.Quota{{Hash: s.Seal.Derive("registrations", nil)[0], Most: altogether, Per: altogetherIn}}
	most := int64(perNetwork)
	for _, network := range (identity.Device{IP: audit.ActorOf(ctx).IP}).Networks() {
		hash := s.Seal.Derive("registration from", []byte(network))[0]
		quotas = append(quotas, storage.Quota{Hash: hash, Most: most, Per: perNetworkIn})
		most *= 2 // the /56 and the /48 of IPv6 have more
	}
	for _, quota := range quotas {
		if within, err := quota.Take(ctx, tx, now); err != nil {
			return err
		} else if !within {
			return errQuota
		}
	}
	return nil
}

// Read returns what an app is told of its registration, for its registration access token: RFC 7592, section 2.1. It
// returns an *oidc.Error with the status 401 where the token is not that of the client.
func (s *Service) Read(ctx context.Context, id, token string) (Information, error) {
	client, err := s.own(ctx, id, token)
	if err != nil {
		return nil, err
	}
	return s.describe(client, token, "")
}

// Replace replaces the metadata of an app: RFC 7592, section 2.2. What is left out gets its default again. It is judged
// as a whole by the policy that the app was registered under, which may be stricter than that of its first metadata. It
// returns an *oidc.Error for what is refused.
func (s *Service) Replace(ctx context.Context, id, token string, object []byte) (Information, error) {
	before, err := s.own(ctx, id, token)
	if err != nil {
		return nil, err
	}
	var policy Policy
	if err := json.Unmarshal(before.RegistrationPolicy, &policy); err != nil {
		return nil, oidc.ServerError(err)
	}
	var sent struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal(object, &sent); err != nil || sent.ID != id {
		return nil, invalidMetadata(errors.New("client_id must be that of the client"))
	}
	right := subtle.ConstantTimeCompare(storage.Digest(sent.Secret), before.SecretHash) == 1
	if sent.Secret != "" && !right {
		return nil, invalidMetadata(errors.New("client_secret is not that of the client, and cannot be chosen"))
	}
	after, err := s.read(ctx, object, policy, func(client *clients.Client) {
		client.ID, client.Origin = before.ID, before.Origin
	})
	if err != nil {
		return nil, err
	}
	after.CreatedAt, after.CreatedBy, after.ConsentsFrom = before.CreatedAt, before.CreatedBy, before.ConsentsFrom
	clients.KeepOperators(after, before)
	after.RegistrationHash, after.RegistrationPolicy = before.RegistrationHash, before.RegistrationPolicy
	secret := ""
	switch {
	case after.HasSecret() && before.SecretHash != nil:
		after.SecretHash = before.SecretHash
		after.PreviousSecretHash, after.PreviousSecretUntil = before.PreviousSecretHash, before.PreviousSecretUntil
	case after.HasSecret():
		secret = storage.NewSecret()
		after.SecretHash = storage.Digest(secret)
	}
	ctx = audit.AsNamed(ctx, after.Actor())
	if err := s.mayChange(ctx, id); err != nil {
		return nil, err
	}
	if err := s.checkSector(ctx, after, before); err != nil {
		return nil, err
	}
	if err := s.Clients.Replace(ctx, before, after); errors.Is(err, storage.ErrNotFound) {
		return nil, errNotYours
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return s.describe(after, token, secret)
}

// checkSector looks whether an app belongs to the sector that it names. It returns an *oidc.Error where it does not, or
// a *cache.Limited.
func (s *Service) checkSector(ctx context.Context, client, before *clients.Client) error {
	if client.IsStranger() && clients.AsksSector(client, before) { // a request to a host that a stranger names
		network := identity.Device{IP: audit.ActorOf(ctx).IP}.Source()
		if err := s.Limits.Take(ctx, "documents", cache.ByIP, network); err != nil {
			return err
		}
		if err := s.Limits.Take(ctx, "documents", byHost, clients.HostOf(client.SectorIdentifierURI)); err != nil {
			return err
		}
	}
	if err := s.Clients.CheckSector(ctx, client, before); err != nil {
		return invalidMetadata(err)
	}
	return nil
}

// mayChange counts a change of metadata. It returns an *oidc.Error where there were too many.
func (s *Service) mayChange(ctx context.Context, id string) error {
	now := s.Now()
	quota := storage.Quota{Hash: s.Seal.Derive("changes of", []byte(id))[0], Most: changesPerHour, Per: time.Hour}
	within, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
		return quota.Take(ctx, tx, now)
	})
	if err != nil {
		return oidc.ServerError(err)
	}
	if !within {
		return &oidc.Error{
			Code: oidc.CodeUnavailable, Status: http.StatusTooManyRequests,
			Description: "The metadata of this client was changed too often. Try again later.",
		}
	}
	return nil
}

// Delete deletes an app by its own wish, with its consents, grants and tokens: RFC 7592, section 2.3. It returns an
// *oidc.Error with the status 401 where the token is not that of the client.
func (s *Service) Delete(ctx context.Context, id, token string) error {
	client, err := s.own(ctx, id, token)
	if err != nil {
		return err
	}
	err = s.Clients.Delete(audit.AsNamed(ctx, client.Actor()), id)
	if errors.Is(err, storage.ErrNotFound) {
		return errNotYours
	} else if err != nil {
		return oidc.ServerError(err)
	}
	return nil
}

var errNotYours = badToken("The registration access token is not that of this client.")

// own is the client whose registration access token is shown. A client that does not exist, one that an operator made
// or that a configuration file declares, and a wrong token get the same answer: RFC 7592, section 2.1.
func (s *Service) own(ctx context.Context, id, token string) (*clients.Client, error) {
	client, err := s.Clients.Fresh(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		client = &clients.Client{}
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	if subtle.ConstantTimeCompare(storage.Digest(token), client.RegistrationHash) != 1 || client.DeclaredBy != "" {
		return nil, errNotYours
	}
	return client, nil
}

// badToken is the 401 of RFC 6750, section 3.1.
func badToken(description string) *oidc.Error {
	return &oidc.Error{
		Code: "invalid_token", Description: description, Status: http.StatusUnauthorized,
		Challenge: `Bearer error="invalid_token"`,
	}
}

// describe is what an app is told: its metadata, its credentials where they are new, and where its registration is.
func (s *Service) describe(client *clients.Client, token, secret string) (Information, error) {
	more := []clients.Member{
		{Name: "client_id_issued_at", Value: client.CreatedAt.Unix()},
		{Name: "registration_access_token", Value: token},
		{Name: "registration_client_uri", Value: s.Endpoint() + "/" + client.ID},
	}
	if secret != "" {
		more = append(more, clients.Member{Name: "client_secret", Value: secret})
	}
	if client.HasSecret() {
		more = append(more, clients.Member{Name: "client_secret_expires_at", Value: 0}) // never
	}
	object, err := client.DescribeOwn(more...)
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	return object, nil
}
