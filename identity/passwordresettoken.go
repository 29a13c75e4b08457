package identity

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// PasswordResetToken lets a person who has lost their password choose another. It works once, for
// ResetLifetime; with it go all others of that person.
type PasswordResetToken struct {
	bun.BaseModel `bun:"table:password_reset_tokens,alias:password_reset_token"`

	ID        uuid.UUID  `bun:"id,pk,type:uuid"`
	UserID    uuid.UUID  `bun:"user_id,type:uuid"`
	TokenHash []byte     `bun:"token_hash"`
	ExpiresAt time.Time  `bun:"expires_at"`
	UsedAt    *time.Time `bun:"used_at"`
	ResetIP   string     `bun:"reset_ip"` // from where it was asked for
	CreatedAt time.Time  `bun:"created_at"`
	CreatedBy string     `bun:"created_by"`
}

// ResetLifetime is how long a link works.
const ResetLifetime = time.Hour

// NewResetToken is the row of a link that lets a person choose another password, and the secret of the link.
func NewResetToken(ctx context.Context, userID uuid.UUID, now time.Time) (*PasswordResetToken, string) {
	secret, actor := storage.NewSecret(), audit.ActorOf(ctx)
	return &PasswordResetToken{
		ID: storage.NewID(), UserID: userID, TokenHash: storage.Digest(secret), ExpiresAt: now.Add(ResetLifetime),
		ResetIP: actor.IP, CreatedAt: now, CreatedBy: actor.Name,
	}, secret
}
