package signin_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
)

// External is what a provider says of a subject of its.
func external(subject string) identity.External {
	return identity.External{
		Provider: "acme", ProviderName: "Acme", Issuer: "https://login.acme.example", Subject: subject, Label: subject + "@acme.example", Email: subject + "@acme.example",
		Claims: json.RawMessage(`{"name":"x"}`), Evidence: identity.Evidence{AMR: []string{"fed"}, ACR: identity.ACRFederated}, MayRegister: true,
	}
}

// atOnce calls do for each of n at the same time.
func atOnce(n int, do func(i int)) {
	var group sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	group.Wait()
}

func TestOneExternalAccountIsOnePersons(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		var sessions []*identity.Session
		for i := range 4 {
			name := fmt.Sprintf("person%d", i)
			h.Register(t, identity.NewUser{Username: name, Password: identitytest.AlicePassword})
			session, _ := h.Enter(t, name, identitytest.AlicePassword, nil)
			sessions = append(sessions, session)
		}
		errs := make([]error, 8)
		atOnce(8, func(i int) {
			errs[i] = h.ExternalAccounts().Link(t.Context(), h.Prove(t, sessions[i%4]), external("one"))
		})
		won := map[int]bool{}
		for i, err := range errs {
			if err == nil {
				won[i%4] = true
			} else if !errors.Is(err, identity.ErrExternalTaken) {
				t.Error(err)
			}
		}
		if lines := h.Lines(t, "external_account", "linked"); len(won) != 1 || len(lines) != 1 {
			t.Errorf("%d people won, %d lines in the audit trail", len(won), len(lines))
		}
		// The same subject of another issuer, or of another provider, is somebody else.
		for i, change := range []func(*identity.External){
			func(e *identity.External) { e.Issuer = "https://other.example" }, func(e *identity.External) { e.Provider = "other" },
		} {
			other := external("one")
			change(&other)
			if err := h.ExternalAccounts().Link(t.Context(), h.Prove(t, sessions[i]), other); err != nil {
				t.Error(err)
			}
			if admission, err := h.SignIn.External().SignIn(
				t.Context(), other, identitytest.Laptop, nil,
			); err != nil || admission.Session.UserID != sessions[i].UserID {
				t.Errorf("%+v, %v", admission, err)
			}
		}
	})
}

func TestTheLastWayInStays(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		admission, err := h.SignIn.External().SignUp(t.Context(), external("one"), "carol", identitytest.Laptop, nil)
		if err != nil {
			t.Fatal(err)
		}
		session := admission.Session
		for _, subject := range []string{"two", "three"} {
			if err := h.ExternalAccounts().Link(t.Context(), h.Prove(t, session), external(subject)); err != nil {
				t.Fatal(err)
			}
		}
		accounts, err := h.ExternalAccounts().List(t.Context(), session.UserID)
		if err != nil || len(accounts) != 3 {
			t.Fatal(accounts, err)
		}
		if err := h.ExternalAccounts().Unlink(
			t.Context(), h.Prove(t, session), accounts[0].ID, nil,
		); !errors.Is(err, identity.ErrLastWayIn) {
			t.Errorf("where nobody is let in from there: %v", err)
		}
		errs := make([]error, 3)
		atOnce(3, func(i int) {
			errs[i] = h.ExternalAccounts().Unlink(t.Context(), h.Prove(t, session), accounts[i].ID, []string{"acme"})
		})
		refused := 0
		for _, err := range errs {
			if errors.Is(err, identity.ErrLastWayIn) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if accounts, err = h.ExternalAccounts().List(
			t.Context(), session.UserID,
		); err != nil || refused != 1 || len(accounts) != 1 {
			t.Errorf("%d are left, %d refused, %v", len(accounts), refused, err)
		}
		if err := h.ExternalAccounts().Unlink(
			t.Context(), h.Prove(t, session), uuid.New(), []string{"acme"},
		); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("what is not theirs: %v", err)
		}
	})
}

func TestWhoMayNotComeFromElsewhere(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if _, err := h.SignIn.External().SignIn(
			t.Context(), external("one"), identitytest.Laptop, nil,
		); !errors.Is(err, signin.ErrNotLinked) {
			t.Errorf("nobody: %v", err)
		}
		closed := external("one")
		closed.MayRegister = false
		if _, err := h.SignIn.External().SignUp(
			t.Context(), closed, "carol", identitytest.Laptop, nil,
		); !errors.Is(err, signin.ErrMayNotRegister) {
			t.Errorf("where registration is off: %v", err)
		}
		proved := external("one")
		proved.Email, proved.EmailProved = "Alice@Example.com", true
		if _, err := h.SignIn.External().SignUp(
			t.Context(), proved, "carol", identitytest.Laptop, nil,
		); !errors.Is(err, signin.ErrHasAccount) {
			t.Errorf("whose address is alice's: %v", err)
		}
		if err := h.Sessions().End(t.Context(), alice.ID, session.ID, identity.EndedByOwner); err != nil {
			t.Fatal(err)
		}
		if err := h.ExternalAccounts().Link(
			t.Context(), h.Prove(t, session), external("one"),
		); !errors.Is(err, identity.ErrSessionEnded) {
			t.Errorf("by a session that has ended: %v", err)
		}
		session, _ = h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if err := h.ExternalAccounts().Link(t.Context(), h.Prove(t, session), external("one")); err != nil {
			t.Fatal(err)
		}
		if err := h.Users().SetActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SignIn.External().SignIn(
			t.Context(), external("one"), identitytest.Laptop, nil,
		); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("whose account is switched off: %v", err)
		}
		refused := h.Refused(t)
		if len(refused) != 1 || refused[0].Method != "fed" || refused[0].FailureReason != signin.FailedDisabled {
			t.Errorf("noted: %+v", refused)
		}
	})
}

func TestUpstreamEndsWhatCameFromIt(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		come := func(subject, sid string) *identity.Session {
			t.Helper()
			from := external(subject)
			from.SID = sid
			admission, err := h.SignIn.External().SignIn(t.Context(), from, identitytest.Laptop, nil)
			if errors.Is(err, signin.ErrNotLinked) {
				admission, err = h.SignIn.External().SignUp(t.Context(), from, subject, identitytest.Laptop, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			return admission.Session
		}
		issuer := external("").Issuer
		for name, c := range map[string]struct {
			subject, sid string
			ended        []bool // carol's first session there, her second, dave's
		}{
			"a session":                 {"", "s1", []bool{true, false, false}},
			"a session of a subject":    {"carol", "s2", []bool{false, true, false}},
			"a subject":                 {"carol", "", []bool{true, true, false}},
			"another subject's session": {"dave", "s1", []bool{false, false, false}},
			"nobody":                    {"erin", "", []bool{false, false, false}},
		} {
			sessions := []*identity.Session{come("carol", "s1"), come("carol", "s2"), come("dave", "s3")}
			end := func(provider, issuer string) {
				t.Helper()
				mark := storage.NewOneTimeMark("logout token", rand.Text(), time.Now())
				if _, err := h.ExternalAccounts().EndUpstream(
					t.Context(), mark, provider, issuer, c.subject, c.sid,
				); err != nil {
					t.Fatal(err)
				}
			}
			end("acme", "https://other.example")
			end("other", issuer)
			for i, session := range sessions {
				if h.HasEnded(t, session) {
					t.Fatalf("%s: session %d is ended by another provider", name, i)
				}
			}
			end("acme", issuer)
			for i, session := range sessions {
				if h.HasEnded(t, session) != c.ended[i] {
					t.Errorf("%s: session %d ended: %t", name, i, !c.ended[i])
				}
				if err := h.Sessions().End(t.Context(), session.UserID, session.ID, identity.EndedByOwner); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestTheWordOfAProviderIsAsGoodAsAPassword(t *testing.T) {
	for _, c := range []struct {
		acr, wanted string
		assures     bool
	}{
		{identity.ACRFederated, identity.ACRFederated, true}, {identity.ACRFederated, identity.ACRPassword, true}, {identity.ACRPassword, identity.ACRFederated, true}, {identity.ACRMultiFactor, identity.ACRFederated, true},
		{identity.ACRFederated, identity.ACRMultiFactor, false}, {identity.ACRFederated, identity.ACRPhishingResistant, false}, {identity.ACRFederated, "unknown", false}, {"unknown", identity.ACRFederated, false}, {"", identity.ACRFederated, false},
	} {
		if got := identity.Assures(c.acr, c.wanted); got != c.assures {
			t.Errorf("%q for %q: %t", c.acr, c.wanted, got)
		}
	}
	origin := &identity.ExternalOrigin{SID: "s"}
	if both := (identity.Evidence{
		AMR: []string{"fed"}, ACR: identity.ACRFederated, External: origin,
	}).With(identity.Evidence{AMR: []string{"otp"}}); both.ACR != identity.ACRMultiFactor || both.External != origin {
		t.Errorf("with a second factor: %+v", both)
	}
}

// Who is on their way back from a provider that is removed meanwhile gets in by no door.
func TestAProviderThatIsRemovedMeanwhile(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		linked, other := external("linked"), external("other")
		if err := h.ExternalAccounts().Link(t.Context(), h.Prove(t, session), linked); err != nil {
			t.Fatal(err)
		}
		authoritative := external("alice")
		authoritative.Email, authoritative.EmailProved, authoritative.EmailsAuthoritative = "alice@example.com", true, true
		removed := func(context.Context, bun.Tx) (bool, error) { return false, nil }
		linked.IsTrusted, other.IsTrusted, authoritative.IsTrusted = removed, removed, removed
		before := h.AuditTrailLength(t)
		for what, enter := range map[string]func() error{
			"signs in": func() error {
				_, err := h.SignIn.External().SignIn(t.Context(), linked, identitytest.Laptop, nil)
				return err
			},
			"signs in by the address": func() error {
				_, err := h.SignIn.External().SignIn(t.Context(), authoritative, identitytest.Laptop, nil)
				return err
			},
			"signs up": func() error {
				_, err := h.SignIn.External().SignUp(t.Context(), other, "carol", identitytest.Laptop, nil)
				return err
			},
			"links": func() error { return h.ExternalAccounts().Link(t.Context(), h.Prove(t, session), other) },
		} {
			if err := enter(); !errors.Is(err, identity.ErrProviderRemoved) {
				t.Errorf("%s: %v", what, err)
			}
		}
		sessions, err := h.Sessions().List(t.Context(), alice.ID)
		if err != nil || len(sessions) != 1 || h.AuditTrailLength(t) != before {
			t.Errorf("%d sessions, %v, and %d changes", len(sessions), err, h.AuditTrailLength(t)-before)
		}
	})
}

// Who comes from an account elsewhere that is unlinked meanwhile is not let in, and nothing of it is kept.
func TestAnAccountThatIsUnlinkedMeanwhile(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		linked := external("linked")
		if err := h.ExternalAccounts().Link(t.Context(), h.Prove(t, session), linked); err != nil {
			t.Fatal(err)
		}
		accounts, err := h.ExternalAccounts().List(t.Context(), alice.ID)
		if err != nil {
			t.Fatal(err)
		}
		unlinked := h.Meanwhile("(provider = '", func() {
			if err := h.ExternalAccounts().Unlink(t.Context(), h.Prove(t, session), accounts[0].ID, nil); err != nil {
				t.Error(err)
			}
		})
		_, err = h.SignIn.External().SignIn(t.Context(), linked, identitytest.Laptop, nil)
		if !errors.Is(err, signin.ErrRefused) || !unlinked() {
			t.Errorf("unlinked meanwhile %t, signed in: %v", unlinked(), err)
		}
		if sessions, err := h.Sessions().List(t.Context(), alice.ID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
	})
}

// The second step after an account elsewhere that is unlinked meanwhile leads nowhere.
func TestSecondStepAfterAnAccountThatIsUnlinkedMeanwhile(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		app := h.App(t, session)
		if err := h.ExternalAccounts().Link(t.Context(), h.Proven(t, alice), external("one")); err != nil {
			t.Fatal(err)
		}
		outcome, err := h.SignIn.External().SignIn(t.Context(), external("one"), identitytest.Laptop, nil)
		if err != nil || outcome.SecondStep == "" {
			t.Fatalf("%+v, %v", outcome, err)
		}
		step, err := h.SignIn.SecondSteps().Open(t.Context(), outcome.SecondStep)
		if err != nil {
			t.Fatal(err)
		}
		err = h.ExternalAccounts().Unlink(t.Context(), h.Proven(t, alice), step.External.AccountID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if outcome, err := h.Answer(t, step, h.Code(t, app, 0)); !errors.Is(err, signin.ErrSecondStep) {
			t.Errorf("%+v, %v", outcome, err)
		}
	})
}
