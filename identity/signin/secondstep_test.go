package signin_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
)

func TestTOTPDriftsByOneStep(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		for steps, want := range map[int]error{-2: factor.ErrCode, 2: factor.ErrCode, -1: nil, 0: nil, 1: nil} {
			h.Pass(10 * time.Minute)
			if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), h.Code(t, secret, steps)); !errors.Is(err, want) {
				t.Errorf("a code of %d steps away: %v, want %v", steps, err, want)
			}
		}
	})
}

func TestACodeWorksOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		setup, err := h.Factors.TOTPs().Begin(t.Context(), session.User, "Wicket")
		if err != nil {
			t.Fatal(err)
		}
		first := h.Code(t, setup.Secret, 0)
		if _, err := h.Factors.TOTPs().Confirm(t.Context(), h.Prove(t, session), setup.ID, first, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), first); !errors.Is(err, factor.ErrCode) {
			t.Errorf("the code that confirmed the app signs in: %v", err)
		}
		h.Pass(time.Minute)
		next := h.Code(t, setup.Secret, 0)
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), next); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), next); !errors.Is(err, factor.ErrCode) {
			t.Errorf("a code signs in twice: %v", err)
		}
		if _, err := h.Answer(
			t, h.Asked(t, identitytest.Laptop), h.Code(t, setup.Secret, -1),
		); !errors.Is(err, factor.ErrCode) {
			t.Errorf("a code from before the last one signs in: %v", err)
		}
	})
}

// Of many answers with one code, or one backup code, one gets in.
func TestParallelAnswersWithOneCode(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		h.SignIn.MaxFailures = 1000
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		session, _ = h.Strengthened(t, session, secret)
		codes, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, session))
		if err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Minute)
		for name, code := range map[string]string{"app": h.Code(t, secret, 0), "backup code": codes[0]} {
			step := h.Asked(t, identitytest.Laptop)
			start, admitted := make(chan struct{}), make(chan error, 20)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					<-start
					_, err := h.Answer(t, step, code)
					admitted <- err
				})
			}
			close(start)
			wg.Wait()
			close(admitted)
			won := 0
			for err := range admitted {
				if err == nil {
					won++
				} else if !errors.Is(err, factor.ErrCode) && !errors.Is(err, signin.ErrSecondStep) {
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%s: %d of twenty were let in", name, won)
			}
		}
	})
}

func TestSessionsTellTheTruth(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		before, cookie := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, before)
		if _, err := h.Sessions().BySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the cookie from before the app was added works: %v", err)
		}
		admission, err := h.Answer(t, h.Asked(t, identitytest.Laptop), h.Code(t, secret, 0))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(admission.Session.AMR, " "); got != "pwd otp mfa" ||
			admission.Session.ACR != identity.ACRMultiFactor {
			t.Errorf("signed in with amr %q, acr %s", got, admission.Session.ACR)
		}
	})
}

// A browser that is trusted is not asked, for thirty days, unless it looks like another or somebody guesses there.
func TestTrustedDevice(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		admission, err := h.SignIn.SecondSteps().Finish(
			t.Context(), h.Asked(t, identitytest.Laptop), factor.Answer{Code: h.Code(t, secret, 0)}, identitytest.Laptop, nil,
			true,
		)
		if err != nil {
			t.Fatal(err)
		}
		admission = h.Admitted(t, "alice", known(admission))
		if admission.Session == nil || admission.Session.ACR != identity.ACRPassword ||
			strings.Join(admission.Session.AMR, " ") != "pwd" {
			t.Fatalf("a trusted browser: %+v", admission)
		}
		stolen := known(admission)
		stolen.UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
		h.Asked(t, stolen)
		h.Asked(t, identitytest.Laptop)
		h.Pass(identity.TrustedFor)
		h.Asked(t, known(admission))
	})
}

// Wrong codes count as wrong passwords do, and then the right password says as little as a wrong one.
func TestWrongCodesLockTheAccount(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		step := h.Asked(t, identitytest.Laptop)
		for range h.SignIn.MaxFailures / 2 {
			if _, err := h.Answer(t, step, "000000"); !errors.Is(err, factor.ErrCode) {
				t.Fatal(err)
			}
		}
		step = h.Asked(t, identitytest.Laptop) // the right password once more forgives nothing
		for range h.SignIn.MaxFailures / 2 {
			if _, err := h.Answer(t, step, "000000"); !errors.Is(err, factor.ErrCode) {
				t.Fatal(err)
			}
		}
		if user := h.Read(t, alice.ID); user.FailedLoginAttempts != h.SignIn.MaxFailures || !user.IsLocked(h.Clock) {
			t.Errorf("%d failures, locked %t", user.FailedLoginAttempts, user.IsLocked(h.Clock))
		}
		right, wrong := h.Try(t, "alice", identitytest.AlicePassword), h.Try(t, "alice", "wrong password")
		if !errors.Is(right, signin.ErrRefused) || !errors.Is(wrong, signin.ErrRefused) {
			t.Errorf("while locked the right password says %v, a wrong one %v", right, wrong)
		}
		code := h.Code(t, secret, 0)
		if _, err := h.Answer(t, step, code); !errors.Is(err, factor.ErrCode) {
			t.Errorf("the right code while locked: %v", err)
		}
		h.Exec(t, "UPDATE users SET locked_until = NULL")
		if _, err := h.Answer(t, step, code); err != nil {
			t.Errorf("once it is open again: %v", err)
		}
	})
}

// Who knows the password and guesses codes, lock after lock, is soon kept out for a day each time, whatever else they
// type between: wrong passwords neither hide the codes nor shorten the lock.
func TestManyWrongCodesLockForLonger(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.App(t, session)
		for lot := 1; lot <= 7; lot++ {
			for half := range 2 {
				step := h.Asked(t, identitytest.Laptop)
				for range h.SignIn.MaxFailures / 2 {
					if _, err := h.Answer(t, step, "000000"); !errors.Is(err, factor.ErrCode) {
						t.Fatal(err)
					}
				}
				if half == 0 {
					_ = h.Try(t, "alice", "wrong password")
					h.Pass(h.SignIn.LockDuration + time.Minute) // it may have locked the account
				}
			}
			for range h.SignIn.MaxFailures {
				_ = h.Try(t, "alice", "wrong password")
			}
			h.Pass(h.SignIn.LockDuration + time.Minute)
			if locked := h.Read(t, alice.ID).IsLocked(h.Clock); locked != (lot >= 6) {
				t.Errorf("after lot %d and a quarter of an hour: locked %t", lot, locked)
			}
			if lot >= 6 {
				h.Pass(24 * time.Hour)
			}
		}
		if h.Read(t, alice.ID).IsLocked(h.Clock) {
			t.Error("locked for longer than a day")
		}
	})
}

// A lock holds for codes wherever they are typed, but not in a browser that is known to the account.
func TestTheLockHoldsForEveryCode(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		admission := h.Admitted(t, "alice", identitytest.Laptop)
		session := admission.Session
		mine := known(admission)
		secret := h.App(t, session)
		session, _ = h.Strengthened(t, session, secret)
		h.Exec(t, "UPDATE users SET locked_until = ?", h.Clock.Add(time.Hour))
		for purpose, answer := range map[string]func(device identity.Device, code string) error{
			signin.ToReset: func(device identity.Device, code string) error {
				_, err := h.SignIn.SecondSteps().AllowReset(
					t.Context(), signin.AskForReset(h.SignIn, h.Read(t, alice.ID)), factor.Answer{Code: code}, device,
				)
				return err
			},
			signin.ToStrength: func(device identity.Device, code string) error {
				step, err := h.SignIn.SecondSteps().ForSession(t.Context(), session)
				if err != nil {
					t.Fatal(err)
				}
				_, err = h.SignIn.SecondSteps().Strengthen(t.Context(), step, session, factor.Answer{Code: code}, device)
				return err
			},
		} {
			h.Pass(time.Minute)
			if err := answer(identitytest.Laptop, h.Code(t, secret, 0)); !errors.Is(err, factor.ErrCode) {
				t.Errorf("%s, locked: %v", purpose, err)
			}
			if err := answer(mine, h.Code(t, secret, 0)); err != nil {
				t.Errorf("%s, in a browser that is known: %v", purpose, err)
			}
		}
	})
}

// Backup codes stand in for a factor: they come after the first and go with the last.
func TestBackupCodesNeedAFactor(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		if _, _, err := h.Factors.BackupCodes().Make(
			t.Context(), h.Prove(t, session),
		); !errors.Is(err, factor.ErrNothingToBackUp) {
			t.Errorf("without a factor: %v", err)
		}
		secret := h.App(t, session)
		session, _ = h.Strengthened(t, session, secret)
		if _, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, session)); err != nil {
			t.Fatal(err)
		}
		apps, err := h.Factors.TOTPs().List(t.Context(), session.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Factors.TOTPs().Remove(t.Context(), h.Prove(t, session), apps[0].ID); err != nil {
			t.Fatal(err)
		}
		if left, err := h.Factors.List(t.Context(), session.UserID); err != nil || left.BackupCodes != 0 {
			t.Errorf("%+v lie in wait (%v)", left, err)
		}
	})
}

// Whoever has something to show must have shown it before they change what they sign in with.
func TestOwesSecondFactor(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		admission := h.Admitted(t, "alice", identitytest.Laptop)
		device := known(admission)
		for _, c := range []struct {
			acr                            string
			twoFactor, hasWebAuthn, trusts bool
			want                           bool
		}{
			{identity.ACRPassword, false, false, false, false},
			{identity.ACRPassword, true, false, false, true},
			{identity.ACRPassword, true, true, true, true},
			{identity.ACRPassword, false, true, false, true},
			{identity.ACRPassword, false, true, true, false},
			{identity.ACRMultiFactor, true, true, false, false},
			{identity.ACRPhishingResistant, false, true, false, false},
			{identity.ACRFederated, false, true, false, true},
		} {
			var until *time.Time
			if c.trusts {
				soon := h.Clock.Add(time.Minute)
				until = &soon
			}
			h.Exec(t, "UPDATE known_devices SET trusted_until = ?", until)
			session := &identity.Session{
				ACR: c.acr, User: &identity.User{ID: admission.Session.UserID, TwoFactor: c.twoFactor, HasWebAuthn: c.hasWebAuthn},
			}
			session.AuthTime = h.Clock
			want := map[bool]error{true: identity.ErrSecondFactorOwed}[c.want]
			if proof, err := h.Reauthenticate(t.Context(), session, device); !errors.Is(err, want) || (proof == nil) != c.want {
				t.Errorf("%+v: %v, %v", c, proof, err)
			}
		}
	})
}

// Who has only passkeys and has lost them comes back by mail, and may then replace them, in that browser, for an hour.
func TestResetTrustsTheBrowserOfAPasskeyHolder(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		for _, twoFactor := range []bool{false, true} {
			h.Exec(t, "UPDATE users SET has_webauthn = TRUE, two_factor = ?", twoFactor)
			owner := h.Read(t, alice.ID)
			token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Clock)
			h.Exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
				token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
			step := signin.AskForReset(h.SignIn, owner)
			step.Reset, step.Answered = secret, true
			answered, err := h.SignIn.SecondSteps().Sealed(step)
			if err != nil {
				t.Fatal(err)
			}
			device := identitytest.Laptop
			if _, device.Secret, err = h.SignIn.Resets().Reset(
				t.Context(), signin.NewPassword{
					Secret: secret, Answered: answered, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
				},
			); err != nil {
				t.Fatal(err)
			}
			session := &identity.Session{ACR: identity.ACRPassword, User: h.Read(t, alice.ID)}
			want := map[bool]error{true: identity.ErrSecondFactorOwed}[twoFactor]
			if err := h.DemandSecondFactor(t.Context(), session, device); !errors.Is(err, want) {
				t.Errorf("with two factors %t: %v", twoFactor, err)
			}
			h.Pass(identity.TrustedByMail)
			if err := h.DemandSecondFactor(t.Context(), session, device); !errors.Is(err, identity.ErrSecondFactorOwed) {
				t.Errorf("an hour later: %v", err)
			}
		}
	})
}

// Who ends other devices has the second step asked for in them again.
func TestEndedDevicesAreTrustedNoMore(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		trusted := func() (*signin.Outcome, identity.Device) {
			h.Pass(2 * time.Minute)
			admission, err := h.SignIn.SecondSteps().Finish(
				t.Context(), h.Asked(t, identitytest.Laptop), factor.Answer{Code: h.Code(t, secret, 0)}, identitytest.Laptop, nil,
				true,
			)
			if err != nil {
				t.Fatal(err)
			}
			return admission, known(admission)
		}
		for what, end := range map[string]func(other, here *signin.Outcome, device identity.Device) error{
			"one": func(other, here *signin.Outcome, device identity.Device) error {
				return h.Sessions().EndDevice(t.Context(), here.Session.UserID, other.Session.ID, device)
			},
			"all": func(_, here *signin.Outcome, device identity.Device) error {
				return h.Sessions().EndOtherDevices(t.Context(), here.Session.UserID, here.Session.ID, device)
			},
		} {
			other, there := trusted()
			here, device := trusted()
			if err := end(other, here, device); err != nil {
				t.Fatal(err)
			}
			h.Asked(t, there)
			if admission := h.Admitted(t, "alice", device); admission.Session == nil {
				t.Errorf("%s: the browser of the owner is asked too", what)
			}
		}
	})
}

func TestDelayGrowsAndStays(t *testing.T) {
	s := &signin.Store{SignInDelay: 250 * time.Millisecond}
	before := time.Duration(0)
	for failures := range int64(200) {
		got := s.DelayAfter(failures)
		if got < before || got > signin.MaxDelay || failures >= 20 && got != signin.MaxDelay ||
			failures < identity.PatientFailures && got != 0 {
			t.Errorf("after %d failures %s, before %s", failures, got, before)
		}
		before = got
	}
}

// Who has only passkeys types a password as before, but not with a browser that the account does not know from a
// network where its owner never was.
func TestUnfamiliarPasswordSignInAsksAKeyHolder(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		first := h.Admitted(t, "alice", identitytest.Laptop)
		h.Exec(t, "UPDATE users SET has_webauthn = TRUE WHERE username = 'Alice'")
		if admission := h.Admitted(t, "alice", identitytest.Laptop); admission.Session == nil {
			t.Error("a browser and a network as always: asked for a key")
		}
		abroad := identitytest.Laptop
		abroad.IP = "203.0.113.9"
		h.Asked(t, abroad)
		mine := known(first)
		mine.IP = abroad.IP
		mine.Secret = known(h.Admitted(t, "alice", known(first))).Secret
		if admission := h.Admitted(t, "alice", mine); admission.Session == nil {
			t.Error("a browser that is known, abroad: asked for a key")
		}
	})
}

func TestQuestionsGrowOld(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.App(t, session)
		open := func(sealed string) error {
			_, err := h.SignIn.SecondSteps().Open(t.Context(), sealed)
			return err
		}
		for name, change := range map[string]func() error{
			"ten minutes": func() error { h.Pass(signin.SecondStepLifetime + time.Second); return nil },
			"global logout": func() error {
				_, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal)
				return err
			},
			"a new hash": func() error { h.Exec(t, "UPDATE users SET password_hash = password_hash || ' '"); return nil },
		} {
			sealed := h.Admitted(t, "alice", identitytest.Laptop).SecondStep
			if err := open(sealed); err != nil {
				t.Fatalf("%s: at first %v", name, err)
			}
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if err := open(sealed); !errors.Is(err, signin.ErrSecondStep) {
				t.Errorf("after %s: %v", name, err)
			}
			h.Exec(t, "UPDATE users SET password_hash = rtrim(password_hash)")
		}
		if err := open("nonsense"); !errors.Is(err, signin.ErrSecondStep) {
			t.Error(err)
		}
	})
}

func TestBackupCodes(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		session, _ = h.Strengthened(t, session, secret)
		old, cookie, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, session))
		if err != nil || len(old) != 10 {
			t.Fatalf("%d codes, %v", len(old), err)
		}
		if session, err = h.Sessions().BySecret(t.Context(), cookie); err != nil {
			t.Fatal(err)
		}
		codes, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, session))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), old[0]); !errors.Is(err, factor.ErrCode) {
			t.Errorf("a code from before works: %v", err)
		}
		for i, code := range codes {
			if _, err := h.Answer(
				t, h.Asked(t, identitytest.Laptop), strings.ToUpper(strings.ReplaceAll(code, "-", " ")),
			); err != nil {
				t.Fatalf("code %d, typed otherwise: %v", i, err)
			}
			if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), code); !errors.Is(err, factor.ErrCode) {
				t.Errorf("code %d works twice: %v", i, err)
			}
		}
		if left, err := h.Factors.List(t.Context(), alice.ID); err != nil || left.BackupCodes != 0 {
			t.Errorf("%+v left, %v", left, err)
		}
		if n := len(h.Lines(t, "backup_code", "used")); n != 10 {
			t.Errorf("the audit trail knows of %d uses", n)
		}
		text := h.Dump(t, "backup_codes") + h.Dump(t, "audit_trail") + h.Dump(t, "totps")
		for _, code := range append(codes, secret) {
			if strings.Contains(text, code) || strings.Contains(text, factor.BackupCodeKey(code)) {
				t.Error("a code is kept in the clear")
			}
		}
	})
}

func TestRemovingAFactorEndsOtherSessions(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		secret := h.App(t, session)
		session, _ = h.Strengthened(t, session, secret)
		elsewhere, err := h.Answer(t, h.Asked(t, identitytest.Laptop), h.Code(t, secret, 0))
		if err != nil {
			t.Fatal(err)
		}
		apps, err := h.Factors.TOTPs().List(t.Context(), session.UserID)
		if err != nil || len(apps) != 1 {
			t.Fatalf("%d apps, %v", len(apps), err)
		}
		if _, err := h.Factors.TOTPs().Remove(
			t.Context(), h.Prove(t, session), uuid.New(),
		); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("an app that is not hers: %v", err)
		}
		cookie, err := h.Factors.TOTPs().Remove(t.Context(), h.Prove(t, session), apps[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), cookie); err != nil {
			t.Errorf("this session: %v", err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), elsewhere.Secret); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("another session lives on: %v", err)
		}
		if admission := h.Admitted(t, "alice", identitytest.Laptop); admission.Session == nil {
			t.Error("without an app a second step is asked for")
		}
	})
}

func TestResetFactors(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, cookie := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.App(t, session)
		removed, err := h.Factors.Reset(t.Context(), h.Read(t, alice.ID))
		if err != nil || removed["totps"] != 1 {
			t.Fatalf("%v, %v", removed, err)
		}
		if _, err := h.Sessions().BySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a session lives on: %v", err)
		}
		if admission := h.Admitted(t, "alice", identitytest.Laptop); admission.Session == nil {
			t.Error("a second step is asked for")
		}
		if n := len(h.Lines(t, "user", "factors_reset")); n != 1 {
			t.Errorf("the audit trail has %d lines of it", n)
		}
	})
}

func TestAssures(t *testing.T) {
	for _, c := range []struct {
		acr, wanted string
		want        bool
	}{
		{identity.ACRPassword, identity.ACRPassword, true}, {identity.ACRMultiFactor, identity.ACRPassword, true},
		{identity.ACRPassword, identity.ACRMultiFactor, false},
		{identity.ACRPhishingResistant, identity.ACRMultiFactor, true},
		{identity.ACRMultiFactor, identity.ACRPhishingResistant, false},
		{"", identity.ACRPassword, false}, {identity.ACRPassword, "", false}, {"", "", false},
		{"unheard of", "unheard of", false},
	} {
		if got := identity.Assures(c.acr, c.wanted); got != c.want {
			t.Errorf("%q assures %q: %t", c.acr, c.wanted, got)
		}
	}
}

// An answer that was under way while its person was signed out everywhere, or another password chosen, lets nobody in,
// and its code is not used up.
func TestAnswerOnItsWayDoesNotOutliveASignOut(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		app := h.App(t, session)
		ends := map[string]func() error{
			"signed out everywhere": func() error {
				_, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal)
				return err
			},
			"another password": func() error {
				_, err := h.SignIn.Passwords().Change(
					t.Context(), identitytest.NewSession(t, h.Store, alice), identitytest.Laptop, identitytest.AlicePassword,
					"purple elephants dance at noon",
				)
				return err
			},
		}
		for _, name := range []string{"signed out everywhere", "another password"} {
			step := h.Asked(t, identitytest.Laptop)
			if err := ends[name](); err != nil {
				t.Fatal(err)
			}
			if outcome, err := h.Answer(t, step, h.Code(t, app, 0)); !errors.Is(err, signin.ErrSecondStep) {
				t.Errorf("%s: %+v, %v", name, outcome, err)
			}
			if apps, err := h.Factors.TOTPs().List(t.Context(), alice.ID); err != nil || apps[0].LastUsedAt != nil {
				t.Errorf("%s: the code was used up: %v", name, err)
			}
		}
	})
}
