package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// ExternalAccount is an account that a person has with a provider upstream, and signs in with here. A person may have
// several, also with one provider; each belongs to one person.
type ExternalAccount struct {
	bun.BaseModel `bun:"table:external_accounts,alias:external_account"`

	ID       uuid.UUID `bun:"id,pk,type:uuid"`
	UserID   uuid.UUID `bun:"user_id,type:uuid"`
	Provider string    `bun:"provider"` // the id of the provider
	Issuer   string    `bun:"issuer"`   // who vouches for the subject: of one provider there may be several
	Subject  string    `bun:"subject"`
	// what its owner knows it by: an e-mail address or a username there
	Label        string          `bun:"label"`
	Profile      json.RawMessage `bun:"profile,type:jsonb"`     // the claims as they came last
	SealedTokens []byte          `bun:"sealed_tokens,nullzero"` // where the operator asked for them
	LastUsedAt   time.Time       `bun:"last_used_at"`
	CreatedAt    time.Time       `bun:"created_at"`
	ModifiedAt   time.Time       `bun:"modified_at"`
	SessionID    uuid.NullUUID   `bun:"session_id,type:uuid"` // in which it was linked; none: it came with the account
}

// What can be wrong with linking an account of elsewhere.
var (
	ErrExternalTaken    = refusal.New("linked.taken", "this account at the provider is linked to another account")
	ErrTooManyExternals = refusal.New("linked.limit", "a person has twenty linked accounts at most")
)

const (
	maxExternals       = 20 // of one person
	SealForTokens      = "upstream tokens"
	externalAccountKey = "(provider, subject, issuer)"
)

// Link gives the person of a session another way in, of which all their addresses are told. Linking what is
// linked already changes nothing. It returns ErrExternalTaken where it is somebody else's, ErrTooManyExternals, or
// ErrSessionEnded.
func (s ExternalAccounts) Link(ctx context.Context, by *Reauthenticated, external External) error {
	now := s.Now()
	user, err := s.Users().ByID(ctx, by.UserID)
	if err != nil {
		return err
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.LockWaysIn(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := external.DemandTrust(ctx, tx); err != nil {
			return err
		}
		// While the person was away their session may have been ended, as one that is not theirs.
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		held, err := tx.NewSelect().Model((*ExternalAccount)(nil)).Where("user_id = ?", user.ID).Count(ctx)
		switch {
		case err != nil:
			return err
		case held >= maxExternals:
			return ErrTooManyExternals
		}
		_, err = s.Attach(ctx, tx, now, user, external, by.Proven())
		return err
	})
	known := refusal.OneOf(err, ErrSessionEnded, ErrProviderRemoved, ErrTooManyExternals, ErrExternalTaken)
	if known != nil {
		return known
	} else if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// Attach writes that an account of elsewhere is this person's. They are told, unless the account here is new. in is the
// session in which they ask for it, or nil where they come from there. It returns ErrExternalTaken if it is somebody
// else's.
func (s ExternalAccounts) Attach(
	ctx context.Context, tx bun.Tx, now time.Time, user *User, external External, in *Session,
) (*ExternalAccount, error) {
	account := external.account(user.ID, now)
	if in != nil {
		account.SessionID = uuid.NullUUID{UUID: in.ID, Valid: true}
	}
	if len(external.Tokens) > 0 {
		account.SealedTokens = s.Seal.Close(SealForTokens, external.Tokens)
	}
	err := storage.OneRow(tx.NewInsert().Model(account).
		On("CONFLICT " + externalAccountKey + " DO NOTHING").
		Returning("NULL").Exec(ctx))
	if errors.Is(err, storage.ErrNotFound) {
		there := new(ExternalAccount)
		if err := SelectExternal(tx, there, external).Scan(ctx); err != nil {
			return nil, err
		}
		if there.UserID != user.ID {
			return nil, ErrExternalTaken
		}
		return there, nil
	} else if err != nil {
		return nil, err
	}
	if !user.CreatedAt.Equal(now) {
		values := map[string]string{"provider": external.ProviderName, "account": external.Label}
		var session *uuid.UUID
		if in != nil {
			session = &in.ID
		}
		if err := s.TellOwner(
			ctx, tx, now, user, MessageAccountLinked, ProofNotMe, NotMeProofLifetime, session, values,
		); err != nil {
			return nil, err
		}
	}
	return account, audit.Record(ctx, tx, now, audit.Change{
		Entity: "external_account", EntityID: account.ID.String(), Action: "linked", UserID: user.ID, New: account.recorded(),
	})
}

// recorded is what the audit trail says of an account of elsewhere.
func (a *ExternalAccount) recorded() audit.Values {
	return audit.Values{"provider": a.Provider, "issuer": a.Issuer, "subject": a.Subject, "label": a.Label}
}

// Unlink takes a way in from the person of a session, and ends the other sessions that came by it. providers are
// those that let people in now. It returns ErrLastWayIn or storage.ErrNotFound.
func (s ExternalAccounts) Unlink(ctx context.Context, by *Reauthenticated, id uuid.UUID, providers []string) error {
	now, userID := s.Now(), by.UserID
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.LockWaysIn(ctx, tx, userID); err != nil {
			return err
		}
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		other, err := otherWayIn(ctx, tx, userID, id, providers)
		if err != nil {
			return err
		}
		if !other {
			return ErrLastWayIn
		}
		return s.Detach(ctx, tx, now, userID, id, by.ID)
	})
}

// Detach removes an account of elsewhere and ends the sessions that came by it, but for the one to keep.
func (s ExternalAccounts) Detach(
	ctx context.Context, tx bun.Tx, now time.Time, userID, id, keep uuid.UUID,
) error {
	_, err := s.Sessions().EndThose(ctx, tx, now, userID, EndedByUnlinking, func(q *bun.UpdateQuery) *bun.UpdateQuery {
		return q.Where("external_account_id = ? AND id <> ?", id, keep)
	})
	if err != nil {
		return err
	}
	account := new(ExternalAccount)
	err = tx.NewDelete().Model(account).Where("id = ? AND user_id = ?", id, userID).Returning("*").Scan(ctx)
	if err != nil {
		return storage.NotFound(err)
	}
	if err := forgetUpstream(ctx, tx, now, userID, account.Provider); err != nil {
		return err
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "external_account", EntityID: id.String(), Action: "unlinked", UserID: userID, Old: account.recorded(),
	})
}

// EndUpstream ends the sessions that came from a provider which says that it has ended its own: those of a subject,
// those of its session sid, or those of both; one of the two may be empty. Mark is that of the provider's word, which
// works once. It returns how many people were concerned, or storage.ErrUsedBefore.
func (s ExternalAccounts) EndUpstream(
	ctx context.Context, mark *storage.OneTimeMark, provider, issuer, subject, sid string,
) (int, error) {
	now := s.Now()
	concerned, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (concerned int, err error) {
		if err := mark.Set(ctx, tx); err != nil {
			return 0, err
		}
		var people []uuid.UUID
		accounts := tx.NewSelect().Model((*ExternalAccount)(nil)).
			Column("id").
			Where("provider = ? AND issuer = ?", provider, issuer)
		if subject != "" {
			accounts.Where("subject = ?", subject)
		}
		sessions := tx.NewSelect().Model((*Session)(nil)).Where("external_account_id IN (?)", accounts)
		if sid != "" {
			sessions.Where("upstream_sid = ?", sid)
		}
		if err := sessions.Clone().ColumnExpr("DISTINCT user_id").Scan(ctx, &people); err != nil {
			return 0, err
		}
		for _, userID := range people { // also whose session has ended: the listener may have to do something
			those := func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Where("id IN (?)", sessions.Clone().Column("id")) }
			ended, err := s.Sessions().EndThose(ctx, tx, now, userID, EndedByProvider, those)
			if err != nil {
				return 0, err
			}
			concerned += min(ended.Sessions, 1)
		}
		return concerned, nil
	})
	if err != nil {
		return 0, fmt.Errorf("end sessions that came from %s: %w", provider, err)
	}
	return concerned, nil
}

// RemoveProvider drops all links to a provider that is no longer trusted, with the sessions that came from it. The
// caller's transaction removes the provider itself. It returns how many links there were.
func (s ExternalAccounts) RemoveProvider(ctx context.Context, tx bun.Tx, provider string) (int, error) {
	var accounts []ExternalAccount
	if err := tx.NewSelect().Model(&accounts).
		Column("id", "user_id").
		Where("provider = ?", provider).Scan(ctx); err != nil {
		return 0, err
	}
	for _, account := range accounts {
		if err := s.Detach(ctx, tx, s.Now(), account.UserID, account.ID, uuid.Nil); err != nil {
			return 0, err
		}
	}
	return len(accounts), nil
}

// List lists the accounts of elsewhere that a person signs in with, the oldest first.
func (s ExternalAccounts) List(ctx context.Context, userID uuid.UUID) ([]ExternalAccount, error) {
	var accounts []ExternalAccount
	err := s.Database.Reader().NewSelect().Model(&accounts).Where("user_id = ?", userID).Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("linked accounts: %w", err)
	}
	return accounts, nil
}

// Tokens returns what an upstream provider gave for this account last, as JSON, where the operator asked to keep it; or
// storage.ErrNotFound. That they were read is in the audit trail.
func (s ExternalAccounts) Tokens(ctx context.Context, account *ExternalAccount) (json.RawMessage, error) {
	if account.SealedTokens == nil {
		return nil, fmt.Errorf("upstream tokens: %w", storage.ErrNotFound)
	}
	tokens, err := s.Seal.Open(SealForTokens, account.SealedTokens)
	if err != nil {
		return nil, fmt.Errorf("upstream tokens: %w", err)
	}
	return tokens, s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		return audit.Record(ctx, tx, s.Now(), audit.Change{
			Entity: "external_account", EntityID: account.ID.String(), Action: "tokens_read", UserID: account.UserID,
		})
	})
}

// SelectExternal is the query for the account that a provider speaks of.
func SelectExternal(db bun.IDB, into *ExternalAccount, external External) *bun.SelectQuery {
	return db.NewSelect().Model(into).
		Where("provider = ? AND issuer = ? AND subject = ?", external.Provider, external.Issuer, external.Subject)
}

// forgetUpstream takes back the groups and roles that a provider gave to a person of whom an account there was
// unlinked. By which of several accounts they came is not known; another says it again at the next sign-in.
func forgetUpstream(ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, provider string) error {
	source := groups.SourceOf(provider)
	if err := groups.Sync(ctx, tx, now, userID, source, nil); err != nil {
		return err
	}
	var names []string
	err := tx.NewSelect().Model((*Role)(nil)).
		Column("role_name").
		Where("user_id = ? AND is_active AND assigned_by = ?", userID, source).
		Scan(ctx, &names)
	for _, name := range names {
		if err == nil {
			err = RevokeRole(ctx, tx, now, userID, name, source)
		}
	}
	return err
}
