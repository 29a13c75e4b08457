package identity

import (
	"errors"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestErasureWaitsAndThenLeavesATombstoneAlone(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice, bob := h.alice(t), h.register(t, NewUser{Username: "bob", Password: alicePassword})
		session, secret := h.enter(t, "alice", alicePassword, nil)
		if _, err := h.RequestErasure(t.Context(), proven(alice)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SessionBySecret(t.Context(), secret); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still signed in: %v", err)
		}
		h.pass(ErasureGrace - time.Second)
		if erased, err := h.Expire(t.Context()); err != nil || erased["users"] != 0 {
			t.Fatalf("erased before the grace was over: %v, %v", erased, err)
		}
		h.enter(t, "alice", alicePassword, nil) // changes her mind
		h.pass(time.Hour)
		if erased, err := h.Expire(t.Context()); err != nil || erased["users"] != 0 {
			t.Fatalf("erased although she signed in: %v, %v", erased, err)
		}
		if _, err := h.RequestErasure(t.Context(), proven(alice)); err != nil {
			t.Fatal(err)
		}
		h.pass(ErasureGrace)
		if erased, err := h.Expire(t.Context()); err != nil || erased["users"] != 1 {
			t.Fatalf("not erased: %v, %v", erased, err)
		}
		if _, err := h.User(t.Context(), alice.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
		if _, err := h.User(t.Context(), bob.ID); err != nil {
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
		for _, attempt := range h.refused(t) {
			t.Errorf("an attempt is left: %+v", attempt)
		}
	})
}
