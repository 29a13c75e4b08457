package identity

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
)

// isUnfamiliar tells whether a person signs in with a browser or from a network that none of their sessions had before.
// The very first session is familiar: somebody has just registered.
func isUnfamiliar(ctx context.Context, tx bun.Tx, session *Session) (bool, error) {
	var earlier []Session
	err := tx.NewSelect().Model(&earlier).Column("fingerprint", "ip").Where("user_id = ?", session.UserID).
		Order("created_at DESC").Limit(sessionsCompared).Scan(ctx)
	if err != nil || len(earlier) == 0 {
		return false, err
	}
	knownDevice, knownNetwork := false, false
	for _, other := range earlier {
		knownDevice = knownDevice || other.Fingerprint == session.Fingerprint
		knownNetwork = knownNetwork || network(other.IP) == network(session.IP)
	}
	return !knownDevice || !knownNetwork, nil
}

const sessionsCompared = 100

// network is the part of an address that a household or an office keeps: /24 of IPv4, /48 of IPv6.
func network(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := 48
	if address = address.Unmap(); address.Is4() {
		bits = 24
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return ip
	}
	return prefix.String()
}

// tellOwner sends a mail to an account's primary address, if that is verified, with a link that proves that its reader is
// the owner.
func (s *Store) tellOwner(ctx context.Context, tx bun.Tx, now time.Time, user *User, message, purpose string, lifetime time.Duration, session *uuid.UUID, values map[string]string) error {
	address, err := verifiedPrimary(ctx, tx, user.ID)
	if err != nil || address == "" {
		return err
	}
	var secret string
	if purpose != "" {
		var proof *Proof
		proof, secret = newLink(user.ID, purpose, lifetime, now)
		if session != nil {
			proof.SessionID = uuid.NullUUID{UUID: *session, Valid: true}
		}
		if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
			return err
		}
	}
	return storage.Enqueue(ctx, s.Jobs, tx, s.mail(message, user, address, secret, values))
}

// Unlock opens an account that wrong passwords have locked, by the link that its owner got. It returns ErrProof.
func (s *Store) Unlock(ctx context.Context, secret string) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Now()
		proof, err := useLink(ctx, tx, proofToUnlock, secret, now)
		if err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model((*User)(nil)).Set("failed_login_attempts = 0").Set("locked_until = NULL").Where("id = ?", proof.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		return storage.Record(ctx, tx, now, storage.Change{Entity: "user", EntityID: proof.UserID.String(), Action: "unlocked", UserID: proof.UserID, New: storage.Values{"by": "mailed link"}})
	})
}

// NotMe is the answer of an owner who is told of a sign-in that was not theirs: every session and token is void at once,
// the password with it, and the way to a new one is open. It returns the secret of a password reset, or ErrProof.
func (s *Store) NotMe(ctx context.Context, secret string) (resetSecret string, err error) {
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		now := s.Now()
		proof, err := useLink(ctx, tx, proofNotMe, secret, now)
		if err != nil {
			return err
		}
		if _, err := s.signOutEverywhere(ctx, tx, now, proof.UserID, EndedByNotMe); err != nil {
			return err
		}
		// Whoever it was knows the password.
		if _, err := tx.NewUpdate().Model((*User)(nil)).Set("password_hash = NULL").Where("id = ?", proof.UserID).Exec(ctx); err != nil {
			return err
		}
		var token *PasswordResetToken
		token, resetSecret = newResetToken(ctx, proof.UserID, now)
		if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
			return err
		}
		return storage.Record(ctx, tx, now, storage.Change{
			Entity: "user", EntityID: proof.UserID.String(), Action: "disowned_sign_in", UserID: proof.UserID,
			New: storage.Values{"session": proof.SessionID.UUID.String()},
		})
	})
	return resetSecret, err
}
