package identity

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What a first attempt at a transaction learned or did must not reach the second one. Every test runs its transactions
// twice; these are about those that have failed by it.

// cutter ends all connections to a database in the middle of a transaction: when a query with that text begins, once.
type cutter struct {
	t    testing.TB
	url  string
	text string
	done atomic.Bool
}

func (c *cutter) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	if strings.Contains(event.Query, c.text) && c.done.CompareAndSwap(false, true) {
		storagetest.TerminateConnections(c.t, c.url)
	}
	return ctx
}

func (*cutter) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestAnInvitedPersonGetsTheRoleThoughTheConnectionBreaks(t *testing.T) {
	url := storagetest.URL(t, storage.Postgres)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := newTestHouse(t, db)
	secret, err := h.InviteFirst(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cut := &cutter{t: t, url: url, text: "pg_advisory_xact_lock"} // the first thing that using an invitation does
	db.Observe(cut)
	admission, err := h.Register(t.Context(), Registration{Username: "root", Email: "root@example.com", Password: alicePassword, Device: laptop, Secret: secret})
	if err != nil || !cut.done.Load() {
		t.Fatalf("registered: %v; cut off: %t", err, cut.done.Load())
	}
	roles, err := h.Roles(t.Context(), admission.Session.UserID, false)
	if err != nil || len(roles) != 1 || roles[0].RoleName != RoleAdministrator {
		t.Errorf("roles %+v, %v", roles, err)
	}
	if used := h.lines(t, "invitation", "used"); len(used) != 1 {
		t.Errorf("the invitation was used %d times", len(used))
	}
}

func TestAnAuthoritativeAddressLinksAndSignsIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		from := external("alice")
		from.Email, from.EmailProved, from.EmailsAuthoritative = "alice@example.com", true, true
		admission, err := h.SignInExternally(t.Context(), from, laptop, nil)
		if err != nil || admission.Session.UserID != alice.ID {
			t.Fatalf("%+v, %v", admission, err)
		}
		if linked, err := h.ExternalAccounts(t.Context(), alice.ID); err != nil || len(linked) != 1 {
			t.Errorf("linked %+v, %v", linked, err)
		}
	})
}

func TestAnOutdatedHashIsRenewedBeforeASecondStep(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		code := h.app(t, session)
		h.Hasher = NewHasher(128, 2, 8, 30*time.Second)
		step := h.asked(t, laptop)
		if hash := h.read(t, alice.ID).PasswordHash; !strings.Contains(hash, "m=128,t=2") {
			t.Errorf("hash %s", hash)
		}
		if _, err := h.answer(t, step, h.code(t, code, 0)); err != nil {
			t.Error(err)
		}
	})
}

// The first attempt finds the account locked. The second one, a moment later, finds that the lock has ended.
func TestARefusalOfAnAttemptThatWasUndoneIsForgotten(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		step, code := h.asked(t, laptop), h.code(t, secret, 0)
		h.exec(t, "UPDATE users SET locked_until = ?", h.clock.Add(time.Minute))
		var asked atomic.Int64
		before, after := h.clock, h.clock.Add(2*time.Minute)
		h.Now = func() time.Time {
			if asked.Add(1) <= 2 { // to check the code, and in the first attempt
				return before
			}
			return after
		}
		if admission, err := h.answer(t, step, code); err != nil || admission.Session == nil {
			t.Errorf("%+v, %v", admission, err)
		}
	})
}
