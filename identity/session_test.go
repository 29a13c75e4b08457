package identity

import (
	"errors"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage"
)

// isLive tells whether a cookie still opens a session.
func (h *testHouse) isLive(t testing.TB, secret string) bool {
	t.Helper()
	_, err := h.SessionBySecret(t.Context(), secret)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestWhatIsNoCookieOfOursOpensNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, secret := h.enter(t, "alice", alicePassword, nil)
		for _, other := range []string{"", "x", secret + "x", secret[:len(secret)-1], strings.ToLower(secret), session.ID.String(), string(session.SecretHash), storage.NewSecret()} {
			if h.isLive(t, other) {
				t.Errorf("%q opens a session", other)
			}
		}
		if !h.isLive(t, secret) {
			t.Error("the cookie itself does not")
		}
	})
}

func TestIdleSessionsEnd(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, secret := h.enter(t, "alice", alicePassword, nil)
		h.pass(h.SessionIdle - time.Microsecond)
		if !h.isLive(t, secret) {
			t.Fatal("ended before its time")
		}
		if err := h.Seen(t.Context(), session, laptop.IP); err != nil {
			t.Fatal(err)
		}
		h.pass(h.SessionIdle - time.Microsecond)
		if !h.isLive(t, secret) {
			t.Error("being seen does not keep a session")
		}
		h.pass(time.Microsecond)
		if h.isLive(t, secret) {
			t.Error("an idle session lives on")
		}
		if sessions, err := h.Sessions(t.Context(), session.UserID); err != nil || len(sessions) != 0 {
			t.Errorf("an idle session is listed: %v, %v", sessions, err)
		}
	})
}

func TestBusySessionsEndToo(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, secret := h.enter(t, "alice", alicePassword, nil)
		begun := h.clock
		for h.clock.Before(begun.Add(h.SessionLifetime)) {
			if !h.isLive(t, secret) {
				t.Fatalf("ended after %s", h.clock.Sub(begun))
			}
			if err := h.Seen(t.Context(), session, laptop.IP); err != nil {
				t.Fatal(err)
			}
			h.pass(10 * 24 * time.Hour)
		}
		if h.isLive(t, secret) {
			t.Error("a busy session outlives its lifetime")
		}
	})
}

func TestDisablingVoidsSessionsAtOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		_, secret := h.enter(t, "alice", alicePassword, nil)
		if err := h.SetUserActive(t.Context(), alice.ID, false); err != nil {
			t.Fatal(err)
		}
		if h.isLive(t, secret) {
			t.Error("a disabled person is signed in")
		}
		if sessions, err := h.Sessions(t.Context(), alice.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%v, %v", sessions, err)
		}
	})
}

// The version is the second lock: it holds even where a session was overlooked.
func TestSessionOfAnotherVersionIsVoid(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		_, secret := h.enter(t, "alice", alicePassword, nil)
		h.exec(t, "UPDATE users SET session_version = session_version + 1 WHERE id = ?", alice.ID)
		if h.isLive(t, secret) {
			t.Error("a session of an old version is live")
		}
		if sessions, err := h.Sessions(t.Context(), alice.ID); err != nil || len(sessions) != 0 {
			t.Errorf("%v, %v", sessions, err)
		}
		if _, fresh := h.enter(t, "alice", alicePassword, nil); !h.isLive(t, fresh) {
			t.Error("a session of the new version is void")
		}
	})
}

func TestEndingOneOtherOrAllSessions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		bob := h.register(t, NewUser{Username: "bob", Password: alicePassword})
		var sessions []*Session
		var secrets []string
		for _, login := range []string{"alice", "alice", "alice", "alice", "bob"} {
			session, secret := h.enter(t, login, alicePassword, nil)
			sessions, secrets = append(sessions, session), append(secrets, secret)
		}
		want := func(step string, live ...bool) {
			t.Helper()
			for i := range live {
				if h.isLive(t, secrets[i]) != live[i] {
					t.Errorf("%s: session %d is live: %v", step, i, !live[i])
				}
			}
		}
		ended := func(ids ...uuid.UUID) {
			t.Helper()
			var got, wanted []string
			for _, line := range h.lines(t, "session", "ended") {
				got = append(got, line.EntityID)
			}
			for _, id := range ids {
				wanted = append(wanted, id.String())
			}
			sort.Strings(got)
			sort.Strings(wanted)
			if strings.Join(got, " ") != strings.Join(wanted, " ") {
				t.Errorf("ended by the ledger:\n%v, want\n%v", got, wanted)
			}
		}
		if err := h.EndSession(t.Context(), alice.ID, sessions[0].ID, EndedByOwner); err != nil {
			t.Fatal(err)
		}
		want("one", false, true, true, true, true)
		ended(sessions[0].ID)
		// What has ended does not end again.
		if err := h.EndSession(t.Context(), alice.ID, sessions[0].ID, EndedByOwner); err != nil {
			t.Fatal(err)
		}
		ended(sessions[0].ID)
		if err := h.EndOtherDevices(t.Context(), alice.ID, sessions[1].ID, Device{}); err != nil {
			t.Fatal(err)
		}
		want("others", false, true, false, false, true)
		ended(sessions[0].ID, sessions[2].ID, sessions[3].ID)
		_, again := h.enter(t, "alice", alicePassword, nil)
		version, err := h.SignOutEverywhere(t.Context(), alice.ID, EndedByGlobal)
		if err != nil || version != 2 {
			t.Fatalf("version %d, %v", version, err)
		}
		want("all", false, false, false, false, true)
		if h.isLive(t, again) {
			t.Error("a session survived the sign-out everywhere")
		}
		if lines := h.lines(t, "user", "signed_out_everywhere"); len(lines) != 1 || lines[0].UserID.UUID != alice.ID || !strings.Contains(strings.ReplaceAll(string(lines[0].NewValues), " ", ""), `"session_version":2`) {
			t.Errorf("ledger: %+v", lines)
		}
		if left, err := h.Sessions(t.Context(), alice.ID); err != nil || len(left) != 0 {
			t.Errorf("%v, %v", left, err)
		}
		if left, err := h.Sessions(t.Context(), bob.ID); err != nil || len(left) != 1 {
			t.Errorf("bob's: %v, %v", left, err)
		}
		if _, err := h.SignOutEverywhere(t.Context(), uuid.New(), EndedByGlobal); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

// A session id is no secret: it is in every token. Knowing one must not end it.
func TestEndingSomebodyElsesSessionChangesNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		bob := h.register(t, NewUser{Username: "bob", Password: alicePassword})
		hers, secret := h.enter(t, "alice", alicePassword, nil)
		before := h.ledgerLength(t)
		for _, err := range []error{
			h.EndSession(t.Context(), bob.ID, hers.ID, EndedByOwner),
			h.EndOtherDevices(t.Context(), bob.ID, uuid.New(), Device{}),
			h.EndSession(t.Context(), uuid.Nil, hers.ID, EndedByOwner),
			h.EndSession(t.Context(), hers.UserID, uuid.New(), EndedByOwner),
		} {
			if err != nil {
				t.Error(err)
			}
		}
		if !h.isLive(t, secret) {
			t.Error("her session ended")
		}
		if now := h.ledgerLength(t); now != before {
			t.Errorf("%d lines more in the ledger", now-before)
		}
	})
}

func TestBeingSeenIsWrittenNowAndThen(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		began := h.clock
		see := func(ip string) *Session {
			t.Helper()
			if err := h.Seen(t.Context(), session, ip); err != nil {
				t.Fatal(err)
			}
			sessions, err := h.Sessions(t.Context(), session.UserID)
			if err != nil || len(sessions) != 1 {
				t.Fatalf("%d sessions, %v", len(sessions), err)
			}
			return &sessions[0]
		}
		h.pass(seenEvery - time.Microsecond)
		if found := see(laptop.IP); !found.LastSeenAt.Equal(began) {
			t.Errorf("written again at %s", found.LastSeenAt)
		}
		if found := see("192.0.2.8"); !found.LastSeenAt.Equal(h.clock) || found.LastSeenIP != "192.0.2.8" || found.IP != laptop.IP {
			t.Errorf("a new address is not noted: %+v", found)
		}
		h.pass(seenEvery)
		if found := see("192.0.2.8"); !found.LastSeenAt.Equal(h.clock) {
			t.Errorf("last seen %s, now it is %s", found.LastSeenAt, h.clock)
		}
	})
}

func TestSessionsListsWhoWasSeenLastFirst(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		first, _ := h.enter(t, "alice", alicePassword, nil)
		h.pass(time.Hour)
		second, _ := h.enter(t, "alice", alicePassword, nil)
		h.pass(time.Hour)
		if err := h.Seen(t.Context(), first, laptop.IP); err != nil {
			t.Fatal(err)
		}
		sessions, err := h.Sessions(t.Context(), first.UserID)
		if err != nil || len(sessions) != 2 || sessions[0].ID != first.ID || sessions[1].ID != second.ID {
			t.Errorf("%+v, %v", sessions, err)
		}
	})
}

func TestDevicesAreNamedForTheirOwner(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:%s) Gecko/20100101 Firefox/%s"
	named := func(agent string) Device { return Device{UserAgent: agent, Language: "en"} }
	for agent, want := range map[string]struct {
		label  string
		mobile bool
	}{
		strings.ReplaceAll(firefox, "%s", "128.0"): {"Firefox on Linux", false},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1": {"Safari on iPhone", true},
		"": {"Unknown browser", false},
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": {"Unknown browser", false},
	} {
		if label, mobile := named(agent).label(); label != want.label || mobile != want.mobile {
			t.Errorf("%q: %q, mobile %v", agent, label, mobile)
		}
	}
	old, updated := named(strings.ReplaceAll(firefox, "%s", "128.0")), named(strings.ReplaceAll(firefox, "%s", "129.0"))
	if old.fingerprint() != updated.fingerprint() {
		t.Error("an update changes the fingerprint")
	}
	if german := (Device{UserAgent: old.UserAgent, Language: "de"}); german.fingerprint() == old.fingerprint() {
		t.Error("another language has the same fingerprint")
	}
	long := Device{UserAgent: strings.Repeat("é", 400) + "\xff"}
	if kept := long.userAgent(); len(kept) > maxUserAgent || strings.ToValidUTF8(kept, "?") != kept {
		t.Errorf("%d bytes kept: %q", len(kept), kept)
	}
}
