package identity_test

import (
	"errors"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
)

func TestWhatIsNoCookieOfOursOpensNothing(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		for _, other := range []string{"", "x", secret +
			"x", secret[:len(secret)-1], strings.ToLower(secret), session.ID.String(), string(session.SecretHash), storage.NewSecret()} {
			if h.IsLive(t, other) {
				t.Errorf("%q opens a session", other)
			}
		}
		if !h.IsLive(t, secret) {
			t.Error("the cookie itself does not")
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(h.SessionIdle - time.Microsecond)
		if !h.IsLive(t, secret) {
			t.Fatal("ended before its time")
		}
		if err := h.Sessions().Seen(t.Context(), session, identitytest.Laptop.IP); err != nil {
			t.Fatal(err)
		}
		h.Pass(h.SessionIdle - time.Microsecond)
		if !h.IsLive(t, secret) {
			t.Error("being seen does not keep a session")
		}
		h.Pass(time.Microsecond)
		if h.IsLive(t, secret) {
			t.Error("an idle session lives on")
		}
		if sessions, err := h.Sessions().List(t.Context(), session.UserID); err != nil || len(sessions) != 0 {
			t.Errorf("an idle session is listed: %v, %v", sessions, err)
		}
	})
}

func TestBusySessionsEndToo(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		begun := h.Clock
		for h.Clock.Before(begun.Add(h.SignIn.SessionLifetime)) {
			if !h.IsLive(t, secret) {
				t.Fatalf("ended after %s", h.Clock.Sub(begun))
			}
			if err := h.Sessions().Seen(t.Context(), session, identitytest.Laptop.IP); err != nil {
				t.Fatal(err)
			}
			h.Pass(10 * 24 * time.Hour)
		}
		if h.IsLive(t, secret) {
			t.Error("a busy session outlives its lifetime")
		}
	})
}

func TestDisablingVoidsSessionsAtOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		_, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if err := h.Users().SetActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if h.IsLive(t, secret) {
			t.Error("a disabled person is signed in")
		}
		if sessions, err := h.Sessions().List(t.Context(), alice.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%v, %v", sessions, err)
		}
	})
}

// The version is the second lock: it holds even where a session was overlooked.
func TestSessionOfAnotherVersionIsVoid(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		_, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Exec(t, "UPDATE users SET session_version = session_version + 1 WHERE id = ?", alice.ID)
		if h.IsLive(t, secret) {
			t.Error("a session of an old version is live")
		}
		if sessions, err := h.Sessions().List(t.Context(), alice.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%v, %v", sessions, err)
		}
		if _, fresh := h.Enter(t, "alice", identitytest.AlicePassword, nil); !h.IsLive(t, fresh) {
			t.Error("a session of the new version is void")
		}
	})
}

func TestEndingOneOtherOrAllSessions(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		var sessions []*identity.Session
		var secrets []string
		for _, login := range []string{"alice", "alice", "alice", "alice", "bob"} {
			session, secret := h.Enter(t, login, identitytest.AlicePassword, nil)
			sessions, secrets = append(sessions, session), append(secrets, secret)
		}
		want := func(step string, live ...bool) {
			t.Helper()
			for i := range live {
				if h.IsLive(t, secrets[i]) != live[i] {
					t.Errorf("%s: session %d is live: %v", step, i, !live[i])
				}
			}
		}
		ended := func(ids ...uuid.UUID) {
			t.Helper()
			var got, wanted []string
			for _, line := range h.Lines(t, "session", "ended") {
				got = append(got, line.EntityID)
			}
			for _, id := range ids {
				wanted = append(wanted, id.String())
			}
			sort.Strings(got)
			sort.Strings(wanted)
			if strings.Join(got, " ") != strings.Join(wanted, " ") {
				t.Errorf("ended by the audit trail:\n%v, want\n%v", got, wanted)
			}
		}
		if err := h.Sessions().End(t.Context(), alice.ID, sessions[0].ID, identity.EndedByOwner); err != nil {
			t.Fatal(err)
		}
		want("one", false, true, true, true, true)
		ended(sessions[0].ID)
		// What has ended does not end again.
		if err := h.Sessions().End(t.Context(), alice.ID, sessions[0].ID, identity.EndedByOwner); err != nil {
			t.Fatal(err)
		}
		ended(sessions[0].ID)
		if err := h.Sessions().EndOtherDevices(t.Context(), alice.ID, sessions[1].ID, identity.Device{}); err != nil {
			t.Fatal(err)
		}
		want("others", false, true, false, false, true)
		ended(sessions[0].ID, sessions[2].ID, sessions[3].ID)
		_, again := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		version, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal)
		if err != nil || version != 2 {
			t.Fatalf("version %d, %v", version, err)
		}
		want("all", false, false, false, false, true)
		if h.IsLive(t, again) {
			t.Error("a session survived the sign-out everywhere")
		}
		if lines := h.Lines(t, "user", "signed_out_everywhere"); len(lines) != 1 || lines[0].UserID.UUID != alice.ID ||
			!strings.Contains(strings.ReplaceAll(string(lines[0].NewValues), " ", ""), `"session_version":2`) {
			t.Errorf("audit trail: %+v", lines)
		}
		if left, err := h.Sessions().List(t.Context(), alice.ID); err != nil || len(left) != 0 {
			t.Errorf("%v, %v", left, err)
		}
		if left, err := h.Sessions().List(t.Context(), bob.ID); err != nil || len(left) != 1 {
			t.Errorf("bob's: %v, %v", left, err)
		}
		if _, err := h.Sessions().SignOutEverywhere(
			t.Context(), uuid.New(), identity.EndedByGlobal,
		); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

// A session id is no secret: it is in every token. Knowing one must not end it.
func TestEndingSomebodyElsesSessionChangesNothing(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		bob := h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		hers, secret := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		before := h.AuditTrailLength(t)
		for _, err := range []error{
			h.Sessions().End(t.Context(), bob.ID, hers.ID, identity.EndedByOwner),
			h.Sessions().EndOtherDevices(t.Context(), bob.ID, uuid.New(), identity.Device{}),
			h.Sessions().End(t.Context(), uuid.Nil, hers.ID, identity.EndedByOwner),
			h.Sessions().End(t.Context(), hers.UserID, uuid.New(), identity.EndedByOwner),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		if !h.IsLive(t, secret) {
			t.Error("her session ended")
		}
		if now := h.AuditTrailLength(t); now != before {
			t.Errorf("%d lines more in the audit trail", now-before)
		}
	})
}

func TestBeingSeenIsWrittenNowAndThen(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		began := h.Clock
		see := func(ip string) *identity.Session {
			t.Helper()
			if err := h.Sessions().Seen(t.Context(), session, ip); err != nil {
				t.Fatal(err)
			}
			sessions, err := h.Sessions().List(t.Context(), session.UserID)
			if err != nil || len(sessions) != 1 {
				t.Fatalf("%d sessions, %v", len(sessions), err)
			}
			return &sessions[0]
		}
		h.Pass(identity.SeenEvery - time.Microsecond)
		if found := see(identitytest.Laptop.IP); !found.LastSeenAt.Equal(began) {
			t.Errorf("written again at %s", found.LastSeenAt)
		}
		if found := see("192.0.2.8"); !found.LastSeenAt.Equal(h.Clock) || found.LastSeenIP != "192.0.2.8" ||
			found.IP != identitytest.Laptop.IP {
			t.Errorf("a new address is not noted: %+v", found)
		}
		h.Pass(identity.SeenEvery)
		if found := see("192.0.2.8"); !found.LastSeenAt.Equal(h.Clock) {
			t.Errorf("last seen %s, now it is %s", found.LastSeenAt, h.Clock)
		}
	})
}

func TestSessionsListsWhoWasSeenLastFirst(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		first, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(time.Hour)
		second, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(time.Hour)
		if err := h.Sessions().Seen(t.Context(), first, identitytest.Laptop.IP); err != nil {
			t.Fatal(err)
		}
		sessions, err := h.Sessions().List(t.Context(), first.UserID)
		if err != nil || len(sessions) != 2 || sessions[0].ID != first.ID || sessions[1].ID != second.ID {
			t.Errorf("%+v, %v", sessions, err)
		}
	})
}

func TestDevicesAreNamedForTheirOwner(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:%s) Gecko/20100101 Firefox/%s"
	named := func(agent string) identity.Device { return identity.Device{UserAgent: agent, Language: "en"} }
	for agent, want := range map[string]struct {
		label  string
		mobile bool
	}{
		strings.ReplaceAll(firefox, "%s", "128.0"): {"Firefox on Linux", false},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": {"Safari on iPhone", true},
		"": {"Unknown browser", false},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": {"Unknown browser", false},
	} {
		if label, mobile := named(agent).Describe(); label != want.label || mobile != want.mobile {
			t.Errorf("%q: %q, mobile %v", agent, label, mobile)
		}
	}
	old, updated := named(strings.ReplaceAll(firefox, "%s", "128.0")), named(strings.ReplaceAll(firefox, "%s", "129.0"))
	if old.Fingerprint() != updated.Fingerprint() {
		t.Error("an update changes the fingerprint")
	}
	if german := (identity.Device{UserAgent: old.UserAgent, Language: "de"}); german.Fingerprint() == old.Fingerprint() {
		t.Error("another language has the same fingerprint")
	}
	long := identity.Device{UserAgent: strings.Repeat("é", 400) + "\xff"}
	if kept := long.StoredUserAgent(); len(kept) > identity.MaxUserAgent || strings.ToValidUTF8(kept, "?") != kept {
		t.Errorf("%d bytes kept: %q", len(kept), kept)
	}
}
