package signin_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
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
	h := identitytest.New(t, db)
	secret, err := h.SignIn.Invitations().CreateFirst(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cut := &cutter{t: t, url: url, text: "pg_advisory_xact_lock"} // the first thing that using an invitation does
	db.Observe(cut)
	admission, err := h.SignIn.SignUp(t.Context(), signin.SignUp{
		Username: "rosa", Email: "rosa@example.com", Password: identitytest.AlicePassword, Device: identitytest.Laptop,
		Secret: secret,
	})
	if err != nil || !cut.done.Load() {
		t.Fatalf("registered: %v; cut off: %t", err, cut.done.Load())
	}
	roles, err := h.Roles().List(t.Context(), admission.Session.UserID, false)
	if err != nil || len(roles) != 1 || roles[0].RoleName != signin.RoleAdministrator {
		t.Errorf("roles %+v, %v", roles, err)
	}
	if used := h.Lines(t, "invitation", "used"); len(used) != 1 {
		t.Errorf("the invitation was used %d times", len(used))
	}
}

func TestAnAuthoritativeAddressLinksAndSignsIn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		from := external("alice")
		from.Email, from.EmailProved, from.EmailsAuthoritative = "alice@example.com", true, true
		admission, err := h.SignIn.External().SignIn(t.Context(), from, identitytest.Laptop, nil)
		if err != nil || admission.Session.UserID != alice.ID {
			t.Fatalf("%+v, %v", admission, err)
		}
		if linked, err := h.ExternalAccounts().List(t.Context(), alice.ID); err != nil || len(linked) != 1 {
			t.Errorf("linked %+v, %v", linked, err)
		}
	})
}

func TestAnOutdatedHashIsRenewedBeforeASecondStep(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		code := h.App(t, session)
		h.Hasher = password.NewHasher(128, 2, 8, 30*time.Second)
		step := h.Asked(t, identitytest.Laptop)
		if hash := h.Read(t, alice.ID).PasswordHash; !strings.Contains(hash, "m=128,t=2") {
			t.Errorf("hash %s", hash)
		}
		if _, err := h.Answer(t, step, h.Code(t, code, 0)); err != nil {
			t.Error(err)
		}
	})
}

// The first attempt finds the account locked. The second one, a moment later, finds that the lock has ended.
func TestARefusalOfAnAttemptThatWasUndoneIsForgotten(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		step, code := h.Asked(t, identitytest.Laptop), h.Code(t, secret, 0)
		h.Exec(t, "UPDATE users SET locked_until = ?", h.Clock.Add(time.Minute))
		var asked atomic.Int64
		before, after := h.Clock, h.Clock.Add(2*time.Minute)
		h.Now = func() time.Time {
			if asked.Add(1) <= 4 { // thrice before the code is found right, and in the first attempt
				return before
			}
			return after
		}
		if admission, err := h.Answer(t, step, code); err != nil || admission.Session == nil {
			t.Errorf("%+v, %v", admission, err)
		}
	})
}
