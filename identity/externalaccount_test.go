package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage"
)

// external is what a provider says of a subject of its.
func external(subject string) External {
	return External{
		Provider: "acme", ProviderName: "Acme", Issuer: "https://login.acme.example", Subject: subject, Label: subject + "@acme.example", Email: subject + "@acme.example",
		Claims: json.RawMessage(`{"name":"x"}`), Evidence: Evidence{AMR: []string{"fed"}, ACR: ACRFederated}, MayRegister: true,
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
	eachHouse(t, func(t *testing.T, h *testHouse) {
		var sessions []*Session
		for i := range 4 {
			name := fmt.Sprintf("person%d", i)
			h.register(t, NewUser{Username: name, Password: alicePassword})
			session, _ := h.enter(t, name, alicePassword, nil)
			sessions = append(sessions, session)
		}
		errs := make([]error, 8)
		atOnce(8, func(i int) { errs[i] = h.LinkExternal(t.Context(), &Reauthenticated{sessions[i%4]}, external("one")) })
		won := map[int]bool{}
		for i, err := range errs {
			if err == nil {
				won[i%4] = true
			} else if !errors.Is(err, ErrExternalTaken) {
				t.Error(err)
			}
		}
		if lines := h.lines(t, "external_account", "linked"); len(won) != 1 || len(lines) != 1 {
			t.Errorf("%d people won, %d lines in the ledger", len(won), len(lines))
		}
		// The same subject of another issuer, or of another provider, is somebody else.
		for i, change := range []func(*External){func(e *External) { e.Issuer = "https://other.example" }, func(e *External) { e.Provider = "other" }} {
			other := external("one")
			change(&other)
			if err := h.LinkExternal(t.Context(), &Reauthenticated{sessions[i]}, other); err != nil {
				t.Error(err)
			}
			if admission, err := h.SignInExternally(t.Context(), other, laptop, nil); err != nil || admission.Session.UserID != sessions[i].UserID {
				t.Errorf("%+v, %v", admission, err)
			}
		}
	})
}

func TestTheLastWayInStays(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		admission, err := h.RegisterExternally(t.Context(), external("one"), "carol", laptop, nil)
		if err != nil {
			t.Fatal(err)
		}
		session := admission.Session
		for _, subject := range []string{"two", "three"} {
			if err := h.LinkExternal(t.Context(), &Reauthenticated{session}, external(subject)); err != nil {
				t.Fatal(err)
			}
		}
		accounts, err := h.ExternalAccounts(t.Context(), session.UserID)
		if err != nil || len(accounts) != 3 {
			t.Fatal(accounts, err)
		}
		if err := h.UnlinkExternal(t.Context(), &Reauthenticated{session}, accounts[0].ID, nil); !errors.Is(err, ErrLastWayIn) {
			t.Errorf("where nobody is let in from there: %v", err)
		}
		errs := make([]error, 3)
		atOnce(3, func(i int) {
			errs[i] = h.UnlinkExternal(t.Context(), &Reauthenticated{session}, accounts[i].ID, []string{"acme"})
		})
		refused := 0
		for _, err := range errs {
			if errors.Is(err, ErrLastWayIn) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if accounts, err = h.ExternalAccounts(t.Context(), session.UserID); err != nil || refused != 1 || len(accounts) != 1 {
			t.Errorf("%d are left, %d refused, %v", len(accounts), refused, err)
		}
		if err := h.UnlinkExternal(t.Context(), &Reauthenticated{session}, uuid.New(), []string{"acme"}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("what is not theirs: %v", err)
		}
	})
}

func TestWhoMayNotComeFromElsewhere(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		if _, err := h.SignInExternally(t.Context(), external("one"), laptop, nil); !errors.Is(err, ErrNobodyYet) {
			t.Errorf("nobody: %v", err)
		}
		closed := external("one")
		closed.MayRegister = false
		if _, err := h.RegisterExternally(t.Context(), closed, "carol", laptop, nil); !errors.Is(err, ErrMayNotRegister) {
			t.Errorf("where registration is off: %v", err)
		}
		proved := external("one")
		proved.Email, proved.EmailProved = "Alice@Example.com", true
		if _, err := h.RegisterExternally(t.Context(), proved, "carol", laptop, nil); !errors.Is(err, ErrHasAccount) {
			t.Errorf("whose address is alice's: %v", err)
		}
		if err := h.EndSession(t.Context(), alice.ID, session.ID, EndedByOwner); err != nil {
			t.Fatal(err)
		}
		if err := h.LinkExternal(t.Context(), &Reauthenticated{session}, external("one")); !errors.Is(err, ErrProof) {
			t.Errorf("by a session that has ended: %v", err)
		}
		session, _ = h.enter(t, "alice", alicePassword, nil)
		if err := h.LinkExternal(t.Context(), &Reauthenticated{session}, external("one")); err != nil {
			t.Fatal(err)
		}
		if err := h.SetUserActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SignInExternally(t.Context(), external("one"), laptop, nil); !errors.Is(err, ErrSignInRefused) {
			t.Errorf("whose account is switched off: %v", err)
		}
		if refused := h.refused(t); len(refused) != 1 || refused[0].Method != "fed" || refused[0].FailureReason != failedDisabled {
			t.Errorf("noted: %+v", refused)
		}
	})
}

func TestUpstreamEndsWhatCameFromIt(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		come := func(subject, sid string) *Session {
			t.Helper()
			from := external(subject)
			from.SID = sid
			admission, err := h.SignInExternally(t.Context(), from, laptop, nil)
			if errors.Is(err, ErrNobodyYet) {
				admission, err = h.RegisterExternally(t.Context(), from, subject, laptop, nil)
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
			sessions := []*Session{come("carol", "s1"), come("carol", "s2"), come("dave", "s3")}
			if _, err := h.EndUpstream(t.Context(), "acme", "https://other.example", c.subject, c.sid); err != nil {
				t.Fatal(err)
			}
			if _, err := h.EndUpstream(t.Context(), "other", issuer, c.subject, c.sid); err != nil {
				t.Fatal(err)
			}
			for i, session := range sessions {
				if h.hasEnded(t, session) {
					t.Fatalf("%s: session %d is ended by another provider", name, i)
				}
			}
			if _, err := h.EndUpstream(t.Context(), "acme", issuer, c.subject, c.sid); err != nil {
				t.Fatal(err)
			}
			for i, session := range sessions {
				if h.hasEnded(t, session) != c.ended[i] {
					t.Errorf("%s: session %d ended: %t", name, i, !c.ended[i])
				}
				if err := h.EndSession(t.Context(), session.UserID, session.ID, EndedByOwner); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func (h *testHouse) hasEnded(t testing.TB, session *Session) bool {
	t.Helper()
	row := new(Session)
	if err := h.Database.Reader().NewSelect().Model(row).Where("id = ?", session.ID).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return row.EndedAt != nil
}

func TestTheWordOfAProviderIsAsGoodAsAPassword(t *testing.T) {
	for _, c := range []struct {
		acr, wanted string
		assures     bool
	}{
		{ACRFederated, ACRFederated, true}, {ACRFederated, ACRPassword, true}, {ACRPassword, ACRFederated, true}, {ACRMultiFactor, ACRFederated, true},
		{ACRFederated, ACRMultiFactor, false}, {ACRFederated, ACRPhishingResistant, false}, {ACRFederated, "unknown", false}, {"unknown", ACRFederated, false}, {"", ACRFederated, false},
	} {
		if got := Assures(c.acr, c.wanted); got != c.assures {
			t.Errorf("%q for %q: %t", c.acr, c.wanted, got)
		}
	}
	origin := &ExternalOrigin{SID: "s"}
	if both := (Evidence{AMR: []string{"fed"}, ACR: ACRFederated, External: origin}).with(Evidence{AMR: []string{"otp"}}); both.ACR != ACRMultiFactor || both.External != origin {
		t.Errorf("with a second factor: %+v", both)
	}
}
