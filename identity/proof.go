package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Proof is a secret that was sent to a person: who brings it back can read what is sent there. It works once and for a
// while. A link holds 256 random bits; a code that people type holds six digits, and few tries.
type Proof struct {
	bun.BaseModel `bun:"table:proofs,alias:proof"`

	ID         uuid.UUID     `bun:"id,pk,type:uuid"`
	UserID     uuid.UUID     `bun:"user_id,type:uuid"`
	Purpose    string        `bun:"purpose"`
	EmailID    uuid.NullUUID `bun:"email_id,type:uuid"`
	PhoneID    uuid.NullUUID `bun:"phone_id,type:uuid"`
	SessionID  uuid.NullUUID `bun:"session_id,type:uuid"`
	SecretHash []byte        `bun:"secret_hash"`
	Tries      int64         `bun:"tries"`
	ExpiresAt  time.Time     `bun:"expires_at"`
	UsedAt     *time.Time    `bun:"used_at"`
	UsedIP     string        `bun:"used_ip,nullzero"`
	CreatedAt  time.Time     `bun:"created_at"`
}

// What a proof is for.
const (
	ProofOfEmail  = "verify_email"
	proofOfPhone  = "verify_phone"
	ProofToUnlock = "unlock"
	ProofNotMe    = "not_me"
)

const (
	emailProofLifetime  = 24 * time.Hour
	phoneProofLifetime  = 10 * time.Minute
	UnlockProofLifetime = 24 * time.Hour
	NotMeProofLifetime  = 7 * 24 * time.Hour
	maxCodeTries        = 5
	maxSendings         = 5 // of one purpose to one address, in SendingWindow
	SendingWindow       = time.Hour
)

// What can be wrong with a proof.
var (
	// ErrProof covers a link or code that is unknown, used, too old or for something else alike.
	ErrProof = refusal.New("link.invalid", "the link or code is not valid or not valid any more")
	// ErrTooManySendings says that messages were asked for too often.
	ErrTooManySendings = refusal.New("message.limit", "too many messages to one recipient")
)

// NewLink makes a proof that is sent as a link, and returns the secret of the link.
func NewLink(userID uuid.UUID, purpose string, lifetime time.Duration, now time.Time) (*Proof, string) {
	secret := storage.NewSecret()
	return &Proof{
		ID: storage.NewID(), UserID: userID, Purpose: purpose, SecretHash: storage.Digest(secret),
		ExpiresAt: now.Add(lifetime), CreatedAt: now,
	}, secret
}

// newCode makes a proof that is sent as six digits, and returns them. A digest would give six digits away, so they are
// kept as an HMAC with the master key, together with what they are for.
func (s *Store) newCode(userID uuid.UUID, purpose string, lifetime time.Duration, now time.Time) (*Proof, string) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // never, says its documentation, with this reader
	}
	code := fmt.Sprintf("%06d", n)
	proof := &Proof{ID: storage.NewID(), UserID: userID, Purpose: purpose, ExpiresAt: now.Add(lifetime), CreatedAt: now}
	proof.SecretHash = s.codeHashes(proof.ID, code)[0]
	return proof, code
}

func (s *Store) codeHashes(id uuid.UUID, code string) [][]byte {
	return s.Seal.Derive("proof", []byte(id.String()+" "+code))
}

// UseLink uses up the proof that a link holds: of several at once, one call gets it. It returns ErrProof, within which
// nothing can be told apart.
func UseLink(ctx context.Context, tx bun.Tx, purpose, secret string, now time.Time) (*Proof, error) {
	proof := new(Proof)
	err := tx.NewUpdate().Model(proof).Set("used_at = ?", now).Set("used_ip = ?", audit.ActorOf(ctx).IP).
		Where("secret_hash = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?", storage.Digest(secret), purpose, now).
		Returning("*").Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, ErrProof
	}
	return proof, err
}

// UseOwnersLink uses up a link that changes what its person signs in with, or is reached by: as UseLink does, but first
// it takes LockWaysIn and LockContacts, which come before rows.
func (s *Store) UseOwnersLink(
	ctx context.Context, tx bun.Tx, purpose, secret string, now time.Time,
) (*Proof, error) {
	var userID uuid.UUID
	err := tx.NewSelect().Model((*Proof)(nil)).
		Column("user_id").
		Where("secret_hash = ? AND purpose = ?", storage.Digest(secret), purpose).Scan(ctx, &userID)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, ErrProof
	} else if err != nil {
		return nil, err
	}
	if err := s.LockWaysIn(ctx, tx, userID); err != nil {
		return nil, err
	}
	if err := s.LockContacts(ctx, tx, userID); err != nil {
		return nil, err
	}
	return UseLink(ctx, tx, purpose, secret, now)
}

// MaySend counts a message of that purpose to an address and tells whether it may go out.
func (s *Store) MaySend(ctx context.Context, purpose, to string) error {
	if s.Cache.Count(ctx, "sendings of "+purpose+" to "+to, SendingWindow) > maxSendings {
		return ErrTooManySendings
	}
	return nil
}

// VoidSecrets voids the links and codes that were sent to a person, but for those of the purposes to keep: who has just
// proved who they are, or that somebody else was them, wants none of the old ones to work. Who has proved it by a mail
// keeps none. Who has not keeps ProofNotMe: it may be a thief in the owner's session, and the links are the owner's way
// back. The caller holds LockWaysIn and has changed the person's row, which is locked before their proofs.
func VoidSecrets(ctx context.Context, tx bun.Tx, userID uuid.UUID, now time.Time, keep ...string) error {
	_, err := tx.NewUpdate().Model((*PasswordResetToken)(nil)).
		Set("used_at = ?", now).
		Where("user_id = ? AND used_at IS NULL", userID).Exec(ctx)
	if err != nil {
		return err
	}
	void := tx.NewUpdate().Model((*Proof)(nil)).Set("used_at = ?", now).Where("user_id = ? AND used_at IS NULL", userID)
	if len(keep) > 0 {
		void.Where("purpose NOT IN (?)", bun.List(keep))
	}
	_, err = void.Exec(ctx)
	return err
}
