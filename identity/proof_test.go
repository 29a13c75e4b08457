package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
)

// Of many who follow a link at once, one gets it; nobody gets one that is too old or for something else.
func TestALinkIsUsedOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		newLink := func() string {
			proof, secret := identity.NewLink(alice.ID, identity.ProofNotMe, time.Hour, h.Now())
			err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewInsert().Model(proof).Exec(ctx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		use := func(purpose, secret string) error {
			_, err := storage.Write(t.Context(), h.Database, func(ctx context.Context, tx bun.Tx) (*identity.Proof, error) {
				return identity.UseLink(ctx, tx, purpose, secret, h.Now())
			})
			return err
		}
		secret, errs := newLink(), make([]error, 8)
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { errs[i] = use(identity.ProofNotMe, secret) })
		}
		group.Wait()
		used := 0
		for _, err := range errs {
			if err == nil {
				used++
			} else if !errors.Is(err, identity.ErrProof) {
				t.Error(err)
			}
		}
		if used != 1 {
			t.Errorf("%d used the link", used)
		}
		if err := use(identity.ProofNotMe, secret); !errors.Is(err, identity.ErrProof) {
			t.Errorf("once more: %v", err)
		}
		if err := use(identity.ProofToUnlock, newLink()); !errors.Is(err, identity.ErrProof) {
			t.Errorf("for something else: %v", err)
		}
		old := newLink()
		h.Pass(time.Hour)
		if err := use(identity.ProofNotMe, old); !errors.Is(err, identity.ErrProof) {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// A browser in which wrong passwords were typed is not spared the second step any more.
func TestTrustEndsWithFailures(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	until := now.Add(time.Hour)
	for failures, want := range map[int64]bool{
		0: true, identity.PatientFailures - 1: true, identity.PatientFailures: false,
	} {
		device := &identity.KnownDevice{
			TrustedUntil: &until, Failures: failures, Fingerprint: identitytest.Laptop.Fingerprint(),
		}
		if got := device.IsTrusted(now, identitytest.Laptop); got != want {
			t.Errorf("after %d failures: %v", failures, got)
		}
	}
}
