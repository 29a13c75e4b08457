package signin_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
)

// known is laptop with what its device cookie holds after that sign-in.
func known(admission *signin.Outcome) identity.Device {
	device := identitytest.Laptop
	device.Secret = admission.DeviceSecret
	return device
}

// Strangers may lock an account again and again; its owner's own browser is let in all the same.
func TestStrangersDoNotLockAnOwnerOut(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		h.Register(t, identity.NewUser{Username: "mallory", Password: identitytest.AlicePassword})
		mine, theirs := known(h.Admitted(t, "alice", identitytest.Laptop)), known(
			h.Admitted(t, "mallory", identitytest.Laptop),
		)
		h.Lock(t)
		h.RefusedFrom(t, identitytest.Laptop)
		h.RefusedFrom(t, theirs) // known to another account
		forged := identitytest.Laptop
		forged.Secret = "a secret that nobody was given, of a good length"
		h.RefusedFrom(t, forged)
		mine = known(h.Admitted(t, "alice", mine))
		h.Lock(t) // and again, at once
		h.Admitted(t, "alice", mine)
	})
}

// The secret is another one after each sign-in, for everybody who uses the browser: who planted the old one has
// nothing.
func TestSecretOfAKnownDeviceIsRenewed(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		planted := known(h.Admitted(t, "bob", identitytest.Laptop))
		both := known(h.Admitted(t, "alice", planted))
		if both.Secret == planted.Secret {
			t.Fatal("the secret is the same")
		}
		h.Lock(t)
		h.RefusedFrom(t, planted)
		again := known(h.Admitted(t, "bob", both)) // bob was taken along
		h.Lock(t)
		h.Admitted(t, "alice", again)
	})
}

func TestGuessesInAKnownDeviceMakeItUnknown(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		mine := known(h.Admitted(t, "alice", identitytest.Laptop))
		for i := range h.SignIn.MaxFailures {
			if _, err := h.SignIn.WithPassword(
				t.Context(), signin.Attempt{Login: "alice", Password: "wrong password", Device: mine},
			); !errors.Is(err, signin.ErrRefused) {
				t.Fatal(err)
			}
			if n := h.Read(t, alice.ID).FailedLoginAttempts; n != i+1 {
				t.Fatalf("after %d the account counts %d", i+1, n)
			}
		}
		h.RefusedFrom(t, mine)
	})
}

func TestDevicesAreForgotten(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		mine := known(h.Admitted(t, "alice", identitytest.Laptop))
		if _, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		h.Lock(t)
		h.RefusedFrom(t, mine)
		h.Pass(h.SignIn.LockDuration)
		mine = known(h.Admitted(t, "alice", identitytest.Laptop))
		h.Pass(identity.KnownDeviceKept + time.Second)
		h.Lock(t)
		h.RefusedFrom(t, mine)
		if deleted, err := h.SignIn.Expire(t.Context()); err != nil || deleted["known_devices"] != 1 {
			t.Errorf("upkeep deleted %v, %v", deleted, err)
		}
	})
}

// That a browser is known from now on, or trusted, or not known any more, is in the audit trail; its use is not.
func TestKnownDevicesAreInTheAuditTrail(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		expect := func(when string, remembered, trusted, forgotten int) {
			t.Helper()
			for action, want := range map[string]int{"remembered": remembered, "trusted": trusted, "forgotten": forgotten} {
				if lines := h.Lines(t, "known_device", action); len(lines) != want {
					t.Errorf("%s: %d lines say %s, want %d", when, len(lines), action, want)
				}
			}
		}
		first := h.Admitted(t, "alice", identitytest.Laptop)
		mine := known(first)
		expect("a first sign-in", 1, 0, 0)
		mine = known(h.Admitted(t, "alice", mine))
		expect("another one there", 1, 0, 0)
		line := h.Lines(t, "known_device", "remembered")[0]
		if !strings.Contains(string(line.NewValues), "Firefox on Linux") || line.UserID.UUID != alice.ID {
			t.Errorf("the line says %+v", line)
		}
		secret := h.App(t, first.Session)
		trusted, err := h.SignIn.SecondSteps().Finish(
			t.Context(), h.Asked(t, mine), factor.Answer{Code: h.Code(t, secret, 0)}, mine, nil, true,
		)
		if err != nil {
			t.Fatal(err)
		}
		expect("told not to ask again", 1, 1, 0)
		for range h.SignIn.MaxFailures {
			_, err := h.SignIn.WithPassword(
				t.Context(), signin.Attempt{Login: "alice", Password: "wrong password", Device: known(trusted)},
			)
			if !errors.Is(err, signin.ErrRefused) {
				t.Fatal(err)
			}
		}
		expect("guesses there", 1, 1, 1)
		if _, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		expect("nothing is known any more", 1, 1, 1)
	})
}

func TestRefusalTakesItsTime(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		h.SignIn.RefusalTakes = 300 * time.Millisecond
		for _, login := range []string{"alice", "nobody"} {
			began := time.Now()
			if err := h.Try(t, login, "wrong password"); !errors.Is(err, signin.ErrRefused) {
				t.Fatal(err)
			}
			if took := time.Since(began); took < h.SignIn.RefusalTakes {
				t.Errorf("%s was refused after %v", login, took)
			}
		}
	})
}
