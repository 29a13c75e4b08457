package identity

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// ExternalOrigin is where a session came from: by which account elsewhere, and from which session there, if the
// provider names its sessions.
type ExternalOrigin struct {
	AccountID uuid.UUID
	SID       string
}

// External is what a provider upstream says of a person who comes from it. Who makes one has verified it.
type External struct {
	Provider     string // the id of the provider
	ProviderName string // what people call it
	Issuer       string
	Subject      string
	Label        string // what its owner knows the account by
	Email        string // or empty
	Evidence     Evidence
	SID          string    // the provider's own name of the session there, or empty
	AuthTime     time.Time // when they signed in there, where the provider tells and was not asked to have them do it anew
	Username     string    // what they might like to be called here
	Claims       json.RawMessage
	Tokens       []byte // to be kept sealed, or none

	InitialProfile map[string]string // what a new profile says, by the names of its fields
	SyncedProfile  map[string]string // what a profile says from each sign-in on
	Roles          map[string]bool   // which of the roles that the provider gives the person deserves
	Groups         []string          // the groups that the provider puts the person into

	EmailProved         bool // the operator trusts the provider that the address is this person's
	EmailsAuthoritative bool // and that whose address it is may enter the account that has verified it here
	MayRegister         bool // who is nobody here yet may make an account

	// IsTrusted tells, in the transaction that lets the person in, whether the provider may still do so: the operator may
	// have removed it meanwhile. nil: it may.
	IsTrusted func(ctx context.Context, tx bun.Tx) (bool, error) `json:"-"`
}

// ErrProviderRemoved says that a provider was removed or disabled while somebody came from it.
var ErrProviderRemoved = refusal.New("provider.removed", "the provider was removed or disabled meanwhile")

// DemandTrust returns ErrProviderRemoved where the provider may let nobody in any more. Call it first in the
// transaction that lets the person in.
func (e External) DemandTrust(ctx context.Context, tx bun.Tx) error {
	if e.IsTrusted == nil {
		return nil
	}
	trusted, err := e.IsTrusted(ctx, tx)
	if err == nil && !trusted {
		err = ErrProviderRemoved
	}
	return err
}

func (e External) account(userID uuid.UUID, now time.Time) *ExternalAccount {
	return &ExternalAccount{
		ID: storage.NewID(), UserID: userID, Provider: e.Provider, Issuer: e.Issuer, Subject: e.Subject, Label: e.Label,
		Profile:    e.Claims,
		LastUsedAt: now, CreatedAt: now, ModifiedAt: now,
	}
}
