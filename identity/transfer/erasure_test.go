package transfer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestErasureWaitsAndThenLeavesATombstoneAlone(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, bob := h.Alice(t), h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if _, err := h.Transfer.RequestErasure(t.Context(), h.Proven(t, alice)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), secret); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still signed in: %v", err)
		}
		h.Pass(transfer.ErasureGrace - time.Second)
		if erased, err := h.Transfer.Erase(t.Context()); err != nil || erased != 0 {
			t.Fatalf("erased before the grace was over: %v, %v", erased, err)
		}
		h.Enter(t, "alice", identitytest.AlicePassword, nil) // changes her mind
		h.Pass(time.Hour)
		if erased, err := h.Transfer.Erase(t.Context()); err != nil || erased != 0 {
			t.Fatalf("erased although she signed in: %v, %v", erased, err)
		}
		if _, err := h.Transfer.RequestErasure(t.Context(), h.Proven(t, alice)); err != nil {
			t.Fatal(err)
		}
		h.Pass(transfer.ErasureGrace)
		if erased, err := h.Transfer.Erase(t.Context()); err != nil || erased != 1 {
			t.Fatalf("not erased: %v, %v", erased, err)
		}
		if _, err := h.Users().ByID(t.Context(), alice.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
		if _, err := h.Users().ByID(t.Context(), bob.ID); err != nil {
			t.Errorf("bob is gone: %v", err)
		}
		entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{Entity: "user", Action: "erased", Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].EntityID != alice.ID.String() {
			t.Errorf("tombstone: %v, %v", entries, err)
		}
		kept, err := audit.Entries(t.Context(), h.Database, audit.Filter{Entity: "session", Limit: 10})
		if err != nil || len(kept) == 0 {
			t.Fatalf("the trail lost its lines: %v", err)
		}
		for _, entry := range kept {
			if entry.EntityID == session.ID.String() && entry.UserID.Valid {
				t.Errorf("the trail still says whose: %+v", entry)
			}
		}
		for _, attempt := range h.Refused(t) {
			t.Errorf("an attempt is left: %+v", attempt)
		}
	})
}

// Who signs in after the list of those to be erased was made, and before their turn, stays.
func TestErasureHeedsASignInAtTheLastMoment(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		if _, err := h.Transfer.RequestErasure(t.Context(), h.Proven(t, alice)); err != nil {
			t.Fatal(err)
		}
		h.Pass(transfer.ErasureGrace)
		signedIn := h.Meanwhile("erase_at <= ", func() { h.Enter(t, "alice", identitytest.AlicePassword, nil) })
		if erased, err := h.Transfer.Erase(t.Context()); err != nil || erased != 0 || !signedIn() {
			t.Errorf("erased %d, signed in meanwhile %t, %v", erased, signedIn(), err)
		}
		if user := h.Read(t, alice.ID); user.EraseAt != nil {
			t.Errorf("still to be erased at %s", user.EraseAt)
		}
		if attempts, err := h.SignIn.Attempts().List(t.Context(), alice.ID, 10); err != nil || len(attempts) != 1 {
			t.Errorf("%d of her attempts are kept, %v", len(attempts), err)
		}
	})
}

// Who is deleted by an operator is gone at once, with their sessions.
func TestEraseNow(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if err := h.Transfer.EraseNow(t.Context(), alice.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), secret); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still signed in to %s: %v", session.ID, err)
		}
		if _, err := h.Users().ByID(t.Context(), alice.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
		entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{Entity: "user", Action: "erased", Limit: 10})
		if err != nil || len(entries) != 1 || entries[0].EntityID != alice.ID.String() {
			t.Errorf("tombstone: %v, %v", entries, err)
		}
		if err := h.Transfer.EraseNow(t.Context(), alice.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("once more: %v", err)
		}
	})
}
