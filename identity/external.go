package identity

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

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

	EmailProved         bool // the operator trusts the provider that the address is this person's
	EmailsAuthoritative bool // and that whose address it is may enter the account that has verified it here
	MayRegister         bool // who is nobody here yet may make an account
}

func (e External) account(userID uuid.UUID, now time.Time) *ExternalAccount {
	return &ExternalAccount{
		ID: storage.NewID(), UserID: userID, Provider: e.Provider, Issuer: e.Issuer, Subject: e.Subject, Label: e.Label,
		Profile:    e.Claims,
		LastUsedAt: now, CreatedAt: now, ModifiedAt: now,
	}
}
