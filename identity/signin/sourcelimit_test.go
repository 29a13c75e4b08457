package signin_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/signin"
)

// from is a sign-in at an address, by a browser that holds a device's secret, if any.
func from(t testing.TB, h *identitytest.Stack, ip, secret, login, typed string) (*signin.Outcome, error) {
	t.Helper()
	device := identitytest.Laptop
	device.IP, device.Secret = ip, secret
	return h.SignIn.WithPassword(t.Context(), signin.Attempt{Login: login, Password: typed, Device: device})
}

// An office behind one address signs in all at once: nobody is refused, for nobody fails.
func TestManyRightPasswordsAtOnceFromOneAddress(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		const people = 160
		for i := range people {
			h.Register(t, identity.NewUser{Username: fmt.Sprintf("person%d", i), Password: identitytest.AlicePassword})
		}
		errs := make([]error, people)
		atOnce(people, func(i int) {
			_, errs[i] = from(t, h, "192.0.2.7", "", fmt.Sprintf("person%d", i), identitytest.AlicePassword)
		})
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})
}

// More from one address than can wait are told to come again; elsewhere nobody notices.
func TestTooManyAtOnceFromOneAddress(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		const crowd = 300
		errs := make([]error, crowd+1)
		atOnce(crowd+1, func(i int) {
			if i == crowd {
				_, errs[i] = from(t, h, "192.0.2.8", "", "alice", identitytest.AlicePassword)
				return
			}
			_, errs[i] = from(t, h, "192.0.2.7", "", fmt.Sprintf("nobody%d", i), "wrong password")
		})
		for i, err := range errs[:crowd] {
			if !errors.Is(err, signin.ErrRefused) && !errors.Is(err, password.ErrBusy) &&
				!errors.Is(err, identity.ErrTooManyAttempts) {
				t.Errorf("attempt %d: %v", i, err)
			}
		}
		if errs[crowd] != nil {
			t.Errorf("elsewhere: %v", errs[crowd])
		}
	})
}

// Of IPv6 a customer may have a /64, a /56 or a /48: failures in each of these add up.
func TestFailuresAddUpInWiderNetworks(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		failed := 0
		for i := range 5 * signin.MaxFailuresPerSource {
			address := fmt.Sprintf("2001:db8:1:%x::1", i%256)
			_, err := from(t, h, address, "", fmt.Sprintf("nobody%d", i), "wrong password")
			if errors.Is(err, identity.ErrTooManyAttempts) {
				break
			} else if !errors.Is(err, signin.ErrRefused) {
				t.Fatal(err)
			}
			failed++
		}
		if failed != 2*signin.MaxFailuresPerSource {
			t.Errorf("a /56 failed %d times", failed)
		}
		for address, want := range map[string]error{
			"2001:db8:1:ff::1": identity.ErrTooManyAttempts, "2001:db8:1:100::1": nil, "2001:db8:2::1": nil,
		} {
			if _, err := from(t, h, address, "", "alice", identitytest.AlicePassword); !errors.Is(err, want) {
				t.Errorf("at %s: %v, want %v", address, err, want)
			}
		}
	})
}

// Who is in their own browser is not kept out by what others do at the same address, nor do their own failures there
// keep others out.
func TestKnownBrowsersAreNotUnderTheLimitOfTheirAddress(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		const address = "192.0.2.7"
		outcome, err := from(t, h, address, "", "alice", identitytest.AlicePassword)
		if err != nil {
			t.Fatal(err)
		}
		for i := range signin.MaxFailuresPerSource {
			if _, err := from(
				t, h, address, "", fmt.Sprintf("nobody%d", i), "wrong password",
			); !errors.Is(err, signin.ErrRefused) {
				t.Fatal(err)
			}
		}
		if _, err := from(
			t, h, address, "planted", "alice", identitytest.AlicePassword,
		); !errors.Is(err, identity.ErrTooManyAttempts) {
			t.Errorf("in a browser that is not known: %v", err)
		}
		if _, err := from(t, h, address, outcome.DeviceSecret, "alice", identitytest.AlicePassword); err != nil {
			t.Errorf("in the known browser: %v", err)
		}
	})
}

// While as many attempts of a source are checked as may be, the next one waits, by whatever way in it comes: so
// failures that come all at once cannot be many more than the limit.
func TestEveryWayInTakesATurn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		step := signin.AskForReset(h.SignIn, alice)
		ways := map[string]func(ctx context.Context) error{
			"password": func(ctx context.Context) error {
				_, err := h.SignIn.WithPassword(ctx, signin.Attempt{
					Login: "alice", Password: "wrong password", Device: identitytest.Laptop,
				})
				return err
			},
			"passkey": func(ctx context.Context) error {
				_, err := h.SignIn.WithPasskey(ctx, signin.PasskeyAttempt{
					State: "nonsense", Response: "{}", Device: identitytest.Laptop,
				})
				return err
			},
			"second step": func(ctx context.Context) error {
				_, err := h.SignIn.SecondSteps().AllowReset(ctx, step, factor.Answer{Code: "000000"}, identitytest.Laptop)
				return err
			},
		}
		for name, try := range ways {
			if err := try(t.Context()); !errors.Is(err, signin.ErrRefused) && !errors.Is(err, factor.ErrCode) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := signin.Occupy(h.SignIn, identitytest.Laptop); err != nil {
			t.Fatal(err)
		}
		for name, try := range ways {
			ctx, leave := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if err := try(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, without a turn: %v", name, err)
			}
			leave()
		}
	})
}
