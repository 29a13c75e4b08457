package signin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Twenty tabs add one address: it is there once, and the others are told that it is.
func TestManyTabsAddOneEmail(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		outcomes := make(chan error, 20)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				<-start
				_, err := h.Emails().Add(t.Context(), h.Proven(t, alice), "alice@work.example")
				outcomes <- err
			})
		}
		close(start)
		wg.Wait()
		close(outcomes)
		added := 0
		for err := range outcomes {
			switch {
			case err == nil:
				added++
			case !errors.Is(err, identity.ErrEmailListed) && !errors.Is(err, identity.ErrTooManySendings):
				t.Errorf("a tab heard: %v", err)
			}
		}
		emails, err := h.Emails().List(t.Context(), alice.ID)
		if err != nil || added != 1 || len(emails) != 2 {
			t.Errorf("added %d times, %d addresses, %v", added, len(emails), err)
		}
	})
}

// A reset and sign-ins with the old password at once: whatever comes first, afterwards nobody is signed in by the old
// one.
func TestResetRacesSignIns(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		h.Exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
			token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
		start := make(chan struct{})
		secrets, resets := make(chan string, 10), make(chan error, 2)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				<-start
				admission, err := h.SignIn.WithPassword(t.Context(), signin.Attempt{
					Login: "alice", Password: identitytest.AlicePassword, Device: identitytest.Laptop,
				})
				if err == nil {
					secrets <- admission.Secret
				} else if !errors.Is(err, signin.ErrRefused) {
					t.Error(err)
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				<-start
				_, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
					Secret: secret, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
				})
				resets <- err
			})
		}
		close(start)
		wg.Wait()
		close(secrets)
		close(resets)
		won := 0
		for err := range resets {
			if err == nil {
				won++
			} else if !errors.Is(err, identity.ErrProof) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("the link worked %d times", won)
		}
		for cookie := range secrets {
			if _, err := h.Sessions().BySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("a session of the old password lives on: %v", err)
			}
		}
	})
}

// A second factor that is added while a link resets the password is demanded, though there was none when the link was
// looked at.
func TestResetHeedsAFactorAddedMeanwhile(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session := identitytest.NewSession(t, h.Store, alice)
		token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		h.Exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
			token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
		added := h.Meanwhile("SELECT user_id FROM password_reset_tokens", func() { h.App(t, session) })
		before := h.Read(t, alice.ID).PasswordHash
		_, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
			Secret: secret, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
		})
		if !errors.Is(err, identity.ErrProof) || !added() {
			t.Errorf("added meanwhile %t, reset: %v", added(), err)
		}
		if user := h.Read(t, alice.ID); user.PasswordHash != before || !user.TwoFactor {
			t.Error("the password was reset by the mail alone")
		}
	})
}

// Raising the session version voids a session before its row is ended: no password is chosen in it any more.
func TestPasswordIsNotChangedInASessionOfAnOldVersion(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Exec(t, "UPDATE users SET session_version = session_version + 1 WHERE id = ?", alice.ID)
		before := h.Read(t, alice.ID).PasswordHash
		_, err := h.SignIn.Passwords().Change(
			t.Context(), session, identitytest.Laptop, identitytest.AlicePassword, "purple elephants dance at noon",
		)
		if !errors.Is(err, signin.ErrRefused) || h.Read(t, alice.ID).PasswordHash != before {
			t.Errorf("changed in a session of an old version: %v", err)
		}
	})
}

// What ends secrets, sessions or ways in locks in one order, so that no two such verbs wait for each other. Each case
// does other as soon as do has done the statement, and lets do go on when other waits for it.
func TestVerbsOfRecoveryLockInOneOrder(t *testing.T) {
	reset := func(t *testing.T, h *identitytest.Stack, link string) error {
		_, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
			Secret: link, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
		})
		return err
	}
	notMe := func(t *testing.T, h *identitytest.Stack, link string) error {
		_, err := ownership.Of(h.Store).NotMe(t.Context(), link)
		return err
	}
	used, raised := `UPDATE "proofs" AS "proof" SET used_at = `, "SET session_version = session_version + 1"
	type links = map[string]string
	// question adds an app, and leaves the question for it and its answer.
	question := func(t *testing.T, h *identitytest.Stack, links links, session *identity.Session) {
		app := h.App(t, session)
		asked := h.Admitted(t, "alice", identity.Device{UserAgent: "another", IP: "203.0.113.9"})
		links["question"], links["answer"] = asked.SecondStep, h.Code(t, app, 0)
	}
	answer := func(t *testing.T, h *identitytest.Stack, links links, _ *identity.Session) error {
		step, err := h.SignIn.SecondSteps().Open(t.Context(), links["question"])
		if err == nil {
			_, err = h.Answer(t, step, links["answer"])
		}
		return err
	}
	for name, c := range map[string]struct {
		prepare   func(t *testing.T, h *identitytest.Stack, links links, session *identity.Session)
		statement string
		do, other func(t *testing.T, h *identitytest.Stack, links map[string]string, session *identity.Session) error
	}{
		"not me and a reset": {
			statement: used,
			do: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return notMe(t, h, links[identity.ProofNotMe])
			},
			other: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return reset(t, h, links["reset"])
			},
		},
		"not me and a second step": {
			prepare: question, statement: raised, other: answer,
			do: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return notMe(t, h, links[identity.ProofNotMe])
			},
		},
		"an app that is removed and a second step": {
			prepare: question, statement: `DELETE FROM "totps"`, other: answer,
			do: func(t *testing.T, h *identitytest.Stack, _ map[string]string, session *identity.Session) error {
				by := h.Proven(t, session.User)
				apps, err := h.Factors.TOTPs().List(t.Context(), by.UserID)
				if err == nil {
					_, err = h.Factors.TOTPs().Remove(t.Context(), by, apps[0].ID)
				}
				return err
			},
		},
		"not me and unlocking": {
			statement: raised,
			do: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return notMe(t, h, links[identity.ProofNotMe])
			},
			other: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				_, err := h.SignIn.Unlock(t.Context(), links[identity.ProofToUnlock], identitytest.Laptop)
				return err
			},
		},
		"not me and a change of the password": {
			statement: raised,
			do: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return notMe(t, h, links[identity.ProofNotMe])
			},
			other: func(t *testing.T, h *identitytest.Stack, _ map[string]string, session *identity.Session) error {
				_, err := h.SignIn.Passwords().Change(
					t.Context(), session, identitytest.Laptop, identitytest.AlicePassword, "purple elephants dance at noon",
				)
				return err
			},
		},
		"a reset and a link that is sent again": {
			statement: used,
			do: func(t *testing.T, h *identitytest.Stack, links map[string]string, _ *identity.Session) error {
				return reset(t, h, links["reset"])
			},
			other: func(t *testing.T, h *identitytest.Stack, links map[string]string, session *identity.Session) error {
				return h.Emails().Resend(t.Context(), h.Prove(t, session), uuid.MustParse(links["unverified"]))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := identitytest.New(t, storagetest.Open(t, storage.Postgres))
			links, session := recoveryLinks(t, h)
			if c.prepare != nil {
				c.prepare(t, h, links, session)
			}
			deadlocks := new(deadlocks)
			h.Database.Observe(deadlocks)
			other := make(chan error, 1)
			began := h.Meanwhile(c.statement, func() {
				go func() { other <- c.other(t, h, links, session) }()
				storagetest.Eventually(t, 10*time.Second, "the other waits, or is done", func() bool {
					var waiting int
					err := h.Database.Reader().NewSelect().TableExpr("pg_stat_activity").ColumnExpr("count(*)").
						Where("datname = current_database() AND wait_event_type = 'Lock'").Scan(t.Context(), &waiting)
					return err == nil && waiting > 0 || len(other) > 0
				})
			})
			first := c.do(t, h, links, session)
			second := <-other
			// The other overtakes where a transaction is made again, and then the first may come too late.
			if !began() || !doneOrLate(first) || !doneOrLate(second) || first != nil && second != nil {
				t.Errorf("began %t: %v, and the other: %v", began(), first, second)
			}
			if n := deadlocks.Load(); n > 0 {
				t.Errorf("%d deadlocks", n)
			}
		})
	}
}

// doneOrLate tells whether a verb was done, or refused because another one had ended what it needs.
func doneOrLate(err error) bool {
	late := []error{
		identity.ErrProof, identity.ErrSessionEnded, signin.ErrRefused, signin.ErrSecondStep, factor.ErrCode,
	}
	return err == nil || slices.ContainsFunc(late, func(target error) bool { return errors.Is(err, target) })
}

// recoveryLinks makes alice, a session of hers, and a link of each kind, by purpose; "reset" is the one to choose
// another password, "unverified" the id of an address.
func recoveryLinks(t *testing.T, h *identitytest.Stack) (map[string]string, *identity.Session) {
	t.Helper()
	alice := h.Alice(t)
	session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
	added, err := h.Emails().Add(t.Context(), h.Prove(t, session), "alice@work.example")
	if err != nil {
		t.Fatal(err)
	}
	primary, err := h.Emails().Primary(t.Context(), alice.ID)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{"unverified": added.ID.String()}
	token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
	links["reset"] = secret
	err = h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(token).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, purpose := range []string{identity.ProofNotMe, identity.ProofToUnlock} {
		proof, secret := identity.NewLink(alice.ID, purpose, time.Hour, h.Now())
		proof.EmailID = uuid.NullUUID{UUID: primary.ID, Valid: true}
		links[purpose] = secret
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(proof).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return links, session
}

// deadlocks counts the statements that PostgreSQL has ended so that others could go on; storage tries them again.
type deadlocks struct{ atomic.Int64 }

func (*deadlocks) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (d *deadlocks) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if event.Err != nil && strings.Contains(event.Err.Error(), "40P01") {
		d.Add(1)
	}
}
