package registration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// InitialAccessToken lets apps register themselves: RFC 7591, section 3. It is known by its digest.
type InitialAccessToken struct {
	bun.BaseModel `bun:"table:initial_access_tokens,alias:initial_access_token"`

	ID        uuid.UUID `bun:"id,pk,type:uuid"`
	Hash      []byte    `bun:"hash"`
	Name      string    `bun:"name"` // what it is for
	UsesLeft  int64     `bun:"uses_left"`
	Policy    Policy    `bun:"policy,type:jsonb"`
	ExpiresAt time.Time `bun:"expires_at"`
	CreatedAt time.Time `bun:"created_at"`
	CreatedBy string    `bun:"created_by"`
}

// ErrInitialAccessToken wraps what is wrong with an initial access token that is to be made.
var ErrInitialAccessToken = errors.New("invalid initial access token")

// CreateToken makes an initial access token that lets so many apps register by that time, and returns it. It returns
// ErrInitialAccessToken with what is wrong.
func (s *Service) CreateToken(
	ctx context.Context, name string, uses int64, lifetime time.Duration, policy Policy,
) (*InitialAccessToken, string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || len(name) > 200 || oidc.CheckText(name) != nil:
		return nil, "", fmt.Errorf("%w: it needs a name of at most 200 bytes, which says what it is for", ErrInitialAccessToken)
	case uses < 1 || lifetime <= 0:
		return nil, "", fmt.Errorf("%w: it must be good for one app and some time at the least", ErrInitialAccessToken)
	}
	secret, now := storage.NewSecret(), s.Now()
	token := &InitialAccessToken{
		ID: storage.NewID(), Hash: storage.Digest(secret), Name: name, UsesLeft: uses, Policy: policy,
		ExpiresAt: now.Add(lifetime), CreatedAt: now, CreatedBy: audit.ActorOf(ctx).Name,
	}
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(token).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "initial_access_token", EntityID: token.ID.String(), Action: "created",
			New: audit.Values{"name": name, "uses": uses, "expires_at": token.ExpiresAt, "policy": policy},
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("create initial access token: %w", err)
	}
	return token, secret, nil
}

// Tokens lists the initial access tokens that are good, those that expire first first.
func (s *Service) Tokens(ctx context.Context) ([]InitialAccessToken, error) {
	var list []InitialAccessToken
	err := s.Database.Reader().NewSelect().Model(&list).Where("expires_at > ? AND uses_left > 0", s.Now()).
		Order("expires_at", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list initial access tokens: %w", err)
	}
	return list, nil
}

// RevokeToken makes an initial access token void; apps that were registered by it stay. It returns storage.ErrNotFound
// where there is none.
func (s *Service) RevokeToken(ctx context.Context, id uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewDelete().Model((*InitialAccessToken)(nil)).Where("id = ?", id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, storage.ErrNotFound)
		}
		return audit.Record(ctx, tx, now, audit.Change{
			Entity: "initial_access_token", EntityID: id.String(), Action: "revoked",
		})
	})
	if err != nil {
		return fmt.Errorf("revoke initial access token: %w", err)
	}
	return nil
}

// useToken uses an initial access token once, as part of the transaction that registers: of several at once, no more
// are let through than it has uses left. It returns storage.ErrNotFound for one that is not good.
func useToken(ctx context.Context, tx bun.Tx, now time.Time, secret string) (*InitialAccessToken, error) {
	token := new(InitialAccessToken)
	err := tx.NewUpdate().Model(token).Set("uses_left = uses_left - 1").
		Where("hash = ? AND uses_left > 0 AND expires_at > ?", storage.Digest(secret), now).Returning("*").Scan(ctx)
	return token, storage.NotFound(err)
}
