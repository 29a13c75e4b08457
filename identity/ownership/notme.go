package ownership

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// disownedSince is when what an owner disowns may have begun: when the first mail was sent whose link they could follow
// instead. Each mail tells of one thing that somebody did, and the owner follows whichever they see first, which voids
// the others. Whoever reads their mail gets nothing by it, for the older link is in the mailbox too. The link of the
// proof is used already; the others must not be void yet.
func disownedSince(ctx context.Context, tx bun.Tx, now time.Time, proof *identity.Proof) (since time.Time, err error) {
	err = tx.NewSelect().Model((*identity.Proof)(nil)).Column("created_at").
		Where("user_id = ? AND purpose = ?", proof.UserID, identity.ProofNotMe).
		Where("(id = ? OR used_at IS NULL AND expires_at > ?)", proof.ID, now).
		Order("created_at").Limit(1).Scan(ctx, &since)
	return since, err
}

// distrustExternalAccounts removes the ways in that were added since, and the one by which the session came that an
// owner disowns.
func (s Store) distrustExternalAccounts(
	ctx context.Context, tx bun.Tx, now, since time.Time, proof *identity.Proof,
) error {
	var doomed []uuid.UUID
	err := tx.NewSelect().Model((*identity.ExternalAccount)(nil)).Column("id").Where("user_id = ?", proof.UserID).
		Where(
			"created_at >= ? OR id IN (SELECT external_account_id FROM sessions WHERE id = ?)", since, proof.SessionID,
		).Scan(ctx, &doomed)
	for _, id := range doomed {
		if err == nil {
			err = s.ExternalAccounts().Detach(ctx, tx, now, proof.UserID, id, uuid.Nil)
		}
	}
	return err
}

// distrustLaterEmails takes the account's addresses back to what they were when they had long been the owner's: those
// verified since are not verified any more, and the address that the owner answers from is the primary one. That is
// the week before the link, in which all links lie that were good beside it: see disownedSince.
func distrustLaterEmails(ctx context.Context, tx bun.Tx, proof *identity.Proof) error {
	_, err := tx.NewUpdate().Model((*identity.Email)(nil)).
		Set("is_primary = ?", false).
		Where("user_id = ? AND is_primary AND id <> ?", proof.UserID, proof.EmailID).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*identity.Email)(nil)).Set("verified_at = NULL").
		Where(
			"user_id = ? AND verified_at > ? AND id <> ?", proof.UserID, proof.CreatedAt.Add(-identity.NotMeProofLifetime),
			proof.EmailID,
		).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*identity.Email)(nil)).
		Set("is_primary = ?", true).
		Where("id = ?", proof.EmailID).Exec(ctx)
	return err
}

// Disowned is what came of an owner's word that something was not them.
type Disowned struct {
	ResetSecret string         // of a link to choose another password
	Waiting     []factor.Entry // second factors that are removed from DueAt on, and are asked for until then
	DueAt       time.Time      // when the first of them is
}

// NotMe is the answer of an owner who is told of a sign-in that was not theirs: every session and token is void at
// once, the password and what was registered since with it, and the way to a new one is open. Second factors go a day
// later: see factor.Disown. It returns ErrProof.
func (s Store) NotMe(ctx context.Context, secret string) (*Disowned, error) {
	return storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Disowned, error) {
		now := s.Now()
		proof, err := s.UseOwnersLink(ctx, tx, identity.ProofNotMe, secret, now)
		if err != nil {
			return nil, err
		}
		// Whoever it was knows the password, and may have asked for the end of the account.
		if _, err := s.Sessions().RaiseVersion(ctx, tx, now, proof.UserID, identity.EndedByNotMe); err != nil {
			return nil, err
		}
		owner := new(identity.User)
		if err := tx.NewUpdate().Model(owner).
			Set("password_hash = NULL").
			Set("erase_at = NULL").
			Where("id = ?", proof.UserID).Returning("*").Scan(ctx); err != nil {
			return nil, err
		}
		since, err := disownedSince(ctx, tx, now, proof)
		if err != nil {
			return nil, err
		}
		if err := identity.VoidSecrets(ctx, tx, proof.UserID, now); err != nil {
			return nil, err
		}
		if err := s.distrustExternalAccounts(ctx, tx, now, since, proof); err != nil {
			return nil, err
		}
		removed, waiting, err := factor.Disown(ctx, tx, now, since, proof)
		if err != nil {
			return nil, err
		}
		result := &Disowned{Waiting: waiting, DueAt: now.Add(factor.DisownedKept)}
		for _, entry := range waiting { // some may have been disowned before
			if entry.DueAt.Before(result.DueAt) {
				result.DueAt = *entry.DueAt
			}
		}
		if len(waiting) > 0 { // all addresses are told, also those that are not trusted from here on
			values := map[string]string{
				"factors": factor.EntriesValue(waiting), "time": result.DueAt.Format(time.RFC3339),
			}
			err := s.TellOwner(ctx, tx, now, owner, identity.MessageFactorsDisowned, "", 0, nil, values)
			if err != nil {
				return nil, err
			}
		}
		if err := distrustLaterEmails(ctx, tx, proof); err != nil {
			return nil, err
		}
		token, resetSecret := identity.NewResetToken(ctx, proof.UserID, now)
		if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
			return nil, err
		}
		result.ResetSecret = resetSecret
		return result, audit.Record(ctx, tx, now, audit.Change{
			Entity: "user", EntityID: proof.UserID.String(), Action: "disowned_sign_in", UserID: proof.UserID,
			New: disownedValues(proof, result), Old: factor.CountValues(removed),
		})
	})
}

func disownedValues(proof *identity.Proof, result *Disowned) audit.Values {
	values := audit.Values{"session": proof.SessionID.UUID.String()}
	if len(result.Waiting) > 0 {
		values["waiting"], values["removal_due_at"] = len(result.Waiting), result.DueAt
	}
	return values
}
