package identity

import (
	"errors"
	"testing"
	"time"
)

// known is laptop with what its device cookie holds after that sign-in.
func known(admission *Admission) Device {
	device := laptop
	device.Secret = admission.DeviceSecret
	return device
}

// admitted signs somebody in from that device, who must be let in.
func (h *testHouse) admitted(t testing.TB, login string, device Device) *Admission {
	t.Helper()
	admission, err := h.SignIn(t.Context(), SignIn{Login: login, Password: alicePassword, Device: device})
	if err != nil {
		t.Fatalf("sign in as %s: %v", login, err)
	}
	return admission
}

func (h *testHouse) refusedFrom(t testing.TB, device Device) {
	t.Helper()
	if _, err := h.SignIn(t.Context(), SignIn{Login: "alice", Password: alicePassword, Device: device}); !errors.Is(err, ErrSignInRefused) {
		t.Errorf("a locked account lets in from there: %v", err)
	}
}

// lock types wrong passwords for alice from a browser that nobody knows, until she is locked.
func (h *testHouse) lock(t testing.TB) {
	t.Helper()
	for range h.MaxFailures {
		if err := h.try(t, "alice", "wrong password"); !errors.Is(err, ErrSignInRefused) {
			t.Fatal(err)
		}
	}
}

// Strangers may lock an account again and again; its owner's own browser is let in all the same.
func TestStrangersDoNotLockAnOwnerOut(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		h.register(t, NewUser{Username: "mallory", Password: alicePassword})
		mine, theirs := known(h.admitted(t, "alice", laptop)), known(h.admitted(t, "mallory", laptop))
		h.lock(t)
		h.refusedFrom(t, laptop)
		h.refusedFrom(t, theirs) // known to another account
		forged := laptop
		forged.Secret = "a secret that nobody was given, of a good length"
		h.refusedFrom(t, forged)
		mine = known(h.admitted(t, "alice", mine))
		h.lock(t) // and again, at once
		h.admitted(t, "alice", mine)
	})
}

// The secret is another one after each sign-in, for everybody who uses the browser: who planted the old one has nothing.
func TestSecretOfAKnownDeviceIsRenewed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		h.register(t, NewUser{Username: "bob", Password: alicePassword})
		planted := known(h.admitted(t, "bob", laptop))
		both := known(h.admitted(t, "alice", planted))
		if both.Secret == planted.Secret {
			t.Fatal("the secret is the same")
		}
		h.lock(t)
		h.refusedFrom(t, planted)
		again := known(h.admitted(t, "bob", both)) // bob was taken along
		h.lock(t)
		h.admitted(t, "alice", again)
	})
}

func TestGuessesInAKnownDeviceMakeItUnknown(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		mine := known(h.admitted(t, "alice", laptop))
		for i := range h.MaxFailures {
			if _, err := h.SignIn(t.Context(), SignIn{Login: "alice", Password: "wrong password", Device: mine}); !errors.Is(err, ErrSignInRefused) {
				t.Fatal(err)
			}
			if n := h.read(t, alice.ID).FailedLoginAttempts; n != i+1 {
				t.Fatalf("after %d the account counts %d", i+1, n)
			}
		}
		h.refusedFrom(t, mine)
	})
}

func TestDevicesAreForgotten(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		mine := known(h.admitted(t, "alice", laptop))
		if _, err := h.SignOutEverywhere(t.Context(), alice.ID, EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		h.lock(t)
		h.refusedFrom(t, mine)
		h.pass(h.LockDuration)
		mine = known(h.admitted(t, "alice", laptop))
		h.pass(KnownDeviceKept + time.Second)
		h.lock(t)
		h.refusedFrom(t, mine)
		if deleted, err := h.Expire(t.Context()); err != nil || deleted["known_devices"] != 1 {
			t.Errorf("upkeep deleted %v, %v", deleted, err)
		}
	})
}

func TestRefusalTakesItsTime(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		h.RefusalTakes = 300 * time.Millisecond
		for _, login := range []string{"alice", "nobody"} {
			began := time.Now()
			if err := h.try(t, login, "wrong password"); !errors.Is(err, ErrSignInRefused) {
				t.Fatal(err)
			}
			if took := time.Since(began); took < h.RefusalTakes {
				t.Errorf("%s was refused after %v", login, took)
			}
		}
	})
}
