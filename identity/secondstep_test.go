package identity

import (
	"encoding/base32"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"github.com/wicket-id/wicket/storage"
)

// code is what an app shows at that time; steps away from it, in steps of thirty seconds.
func (h *testHouse) code(t testing.TB, secret string, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, h.clock.Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// app adds an authenticator app to the account of a session, and returns its secret. The clock is a minute on then.
func (h *testHouse) app(t testing.TB, session *Session) string {
	t.Helper()
	setup, err := h.BeginTOTP(t.Context(), session.User, "Wicket")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.ConfirmTOTP(t.Context(), &Reauthenticated{session}, setup.ID, h.code(t, setup.Secret, 0), "Phone"); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	return setup.Secret
}

// asked signs alice in with her password and returns the question for a second step.
func (h *testHouse) asked(t testing.TB, device Device) *SecondStep {
	t.Helper()
	admission := h.admitted(t, "alice", device)
	if admission.Session != nil || admission.SecondStep == "" {
		t.Fatalf("no second step was asked for: %+v", admission)
	}
	step, err := h.OpenSecondStep(t.Context(), admission.SecondStep)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func (h *testHouse) answer(t testing.TB, step *SecondStep, code string) (*Admission, error) {
	t.Helper()
	return h.FinishSignIn(t.Context(), step, Answer{Code: code}, laptop, nil, false)
}

// RFC 6238, appendix B, for SHA-1; with six digits the last six of those eight.
func TestTOTPVectors(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
		row := &TOTP{Secret: h.Seal.Close(sealForTOTP, []byte(secret))}
		for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
			h.clock = time.Unix(at, 0).UTC()
			if step, err := h.totpStep(row, code); err != nil || step != at/30 {
				t.Errorf("at %d the code %s is of step %d (%v)", at, code, step, err)
			}
			for _, wrong := range []string{"", "000000", code + "0", code[1:], "x" + code[1:]} {
				if step, _ := h.totpStep(row, wrong); step != 0 {
					t.Errorf("at %d %q is taken", at, wrong)
				}
			}
		}
	})
}

func TestTOTPDriftsByOneStep(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		for steps, want := range map[int]error{-2: ErrCode, 2: ErrCode, -1: nil, 0: nil, 1: nil} {
			h.pass(10 * time.Minute)
			if _, err := h.answer(t, h.asked(t, laptop), h.code(t, secret, steps)); !errors.Is(err, want) {
				t.Errorf("a code of %d steps away: %v, want %v", steps, err, want)
			}
		}
	})
}

func TestACodeWorksOnce(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		setup, err := h.BeginTOTP(t.Context(), session.User, "Wicket")
		if err != nil {
			t.Fatal(err)
		}
		first := h.code(t, setup.Secret, 0)
		if _, err := h.ConfirmTOTP(t.Context(), &Reauthenticated{session}, setup.ID, first, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := h.answer(t, h.asked(t, laptop), first); !errors.Is(err, ErrCode) {
			t.Errorf("the code that confirmed the app signs in: %v", err)
		}
		h.pass(time.Minute)
		next := h.code(t, setup.Secret, 0)
		if _, err := h.answer(t, h.asked(t, laptop), next); err != nil {
			t.Fatal(err)
		}
		if _, err := h.answer(t, h.asked(t, laptop), next); !errors.Is(err, ErrCode) {
			t.Errorf("a code signs in twice: %v", err)
		}
		if _, err := h.answer(t, h.asked(t, laptop), h.code(t, setup.Secret, -1)); !errors.Is(err, ErrCode) {
			t.Errorf("a code from before the last one signs in: %v", err)
		}
	})
}

// Of many answers with one code, or one backup code, one gets in.
func TestParallelAnswersWithOneCode(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		h.MaxFailures = 1000
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		session, _ = h.strengthened(t, session, secret)
		codes, _, err := h.MakeBackupCodes(t.Context(), &Reauthenticated{session})
		if err != nil {
			t.Fatal(err)
		}
		h.pass(time.Minute)
		for name, code := range map[string]string{"app": h.code(t, secret, 0), "backup code": codes[0]} {
			step := h.asked(t, laptop)
			start, admitted := make(chan struct{}), make(chan error, 20)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					<-start
					_, err := h.answer(t, step, code)
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
				} else if !errors.Is(err, ErrCode) && !errors.Is(err, ErrSecondStep) {
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%s: %d of twenty were let in", name, won)
			}
		}
	})
}

// strengthened answers for a session that was made with the password alone. The clock is a minute on then.
func (h *testHouse) strengthened(t testing.TB, session *Session, secret string) (*Session, string) {
	t.Helper()
	step, err := h.SecondStepForSession(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	cookie, err := h.Strengthen(t.Context(), step, session, Answer{Code: h.code(t, secret, 0)}, laptop)
	if err != nil {
		t.Fatal(err)
	}
	live, err := h.SessionBySecret(t.Context(), cookie)
	if err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	return live, cookie
}

func TestSessionsTellTheTruth(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		before, cookie := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, before)
		if _, err := h.SessionBySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the cookie from before the app was added works: %v", err)
		}
		admission, err := h.answer(t, h.asked(t, laptop), h.code(t, secret, 0))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(admission.Session.AMR, " "); got != "pwd otp mfa" || admission.Session.ACR != ACRMultiFactor {
			t.Errorf("signed in with amr %q, acr %s", got, admission.Session.ACR)
		}
	})
}

// A browser that is trusted is not asked, for thirty days, unless it looks like another or somebody guesses there.
func TestTrustedDevice(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		admission, err := h.FinishSignIn(t.Context(), h.asked(t, laptop), Answer{Code: h.code(t, secret, 0)}, laptop, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		admission = h.admitted(t, "alice", known(admission))
		if admission.Session == nil || admission.Session.ACR != ACRPassword || strings.Join(admission.Session.AMR, " ") != "pwd" {
			t.Fatalf("a trusted browser: %+v", admission)
		}
		stolen := known(admission)
		stolen.UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
		h.asked(t, stolen)
		h.asked(t, laptop)
		h.pass(trustedFor)
		h.asked(t, known(admission))
	})
}

// Wrong codes count as wrong passwords do, and then the right password says as little as a wrong one.
func TestWrongCodesLockTheAccount(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		step := h.asked(t, laptop)
		for range h.MaxFailures / 2 {
			if _, err := h.answer(t, step, "000000"); !errors.Is(err, ErrCode) {
				t.Fatal(err)
			}
		}
		step = h.asked(t, laptop) // the right password once more forgives nothing
		for range h.MaxFailures / 2 {
			if _, err := h.answer(t, step, "000000"); !errors.Is(err, ErrCode) {
				t.Fatal(err)
			}
		}
		if user := h.read(t, alice.ID); user.FailedLoginAttempts != h.MaxFailures || !user.IsLocked(h.clock) {
			t.Errorf("%d failures, locked %t", user.FailedLoginAttempts, user.IsLocked(h.clock))
		}
		right, wrong := h.try(t, "alice", alicePassword), h.try(t, "alice", "wrong password")
		if !errors.Is(right, ErrSignInRefused) || !errors.Is(wrong, ErrSignInRefused) {
			t.Errorf("while locked the right password says %v, a wrong one %v", right, wrong)
		}
		code := h.code(t, secret, 0)
		if _, err := h.answer(t, step, code); !errors.Is(err, ErrCode) {
			t.Errorf("the right code while locked: %v", err)
		}
		h.exec(t, "UPDATE users SET locked_until = NULL")
		if _, err := h.answer(t, step, code); err != nil {
			t.Errorf("once it is open again: %v", err)
		}
	})
}

// A lock holds for codes wherever they are typed, but not in a browser that is known to the account.
func TestTheLockHoldsForEveryCode(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		admission := h.admitted(t, "alice", laptop)
		session := admission.Session
		mine := known(admission)
		secret := h.app(t, session)
		session, _ = h.strengthened(t, session, secret)
		h.exec(t, "UPDATE users SET locked_until = ?", h.clock.Add(time.Hour))
		for purpose, answer := range map[string]func(device Device, code string) error{
			ToReset: func(device Device, code string) error {
				_, err := h.AllowReset(t.Context(), askForReset(h.Store, h.read(t, alice.ID)), Answer{Code: code}, device)
				return err
			},
			ToStrength: func(device Device, code string) error {
				step, err := h.SecondStepForSession(t.Context(), session)
				if err != nil {
					t.Fatal(err)
				}
				_, err = h.Strengthen(t.Context(), step, session, Answer{Code: code}, device)
				return err
			},
		} {
			h.pass(time.Minute)
			if err := answer(laptop, h.code(t, secret, 0)); !errors.Is(err, ErrCode) {
				t.Errorf("%s, locked: %v", purpose, err)
			}
			if err := answer(mine, h.code(t, secret, 0)); err != nil {
				t.Errorf("%s, in a browser that is known: %v", purpose, err)
			}
		}
	})
}

// Backup codes stand in for a factor: they come after the first and go with the last.
func TestBackupCodesNeedAFactor(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		if _, _, err := h.MakeBackupCodes(t.Context(), &Reauthenticated{session}); !errors.Is(err, ErrNothingToBackUp) {
			t.Errorf("without a factor: %v", err)
		}
		secret := h.app(t, session)
		session, _ = h.strengthened(t, session, secret)
		if _, _, err := h.MakeBackupCodes(t.Context(), &Reauthenticated{session}); err != nil {
			t.Fatal(err)
		}
		apps, err := h.TOTPs(t.Context(), session.UserID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.RemoveTOTP(t.Context(), &Reauthenticated{session}, apps[0].ID); err != nil {
			t.Fatal(err)
		}
		if left, _, err := h.BackupCodesLeft(t.Context(), session.UserID); err != nil || left != 0 {
			t.Errorf("%d codes lie in wait (%v)", left, err)
		}
	})
}

// Whoever has something to show must have shown it before they change what they sign in with.
func TestOwesSecondFactor(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		admission := h.admitted(t, "alice", laptop)
		device := known(admission)
		for _, c := range []struct {
			acr                            string
			twoFactor, hasWebAuthn, trusts bool
			want                           bool
		}{
			{ACRPassword, false, false, false, false},
			{ACRPassword, true, false, false, true},
			{ACRPassword, true, true, true, true},
			{ACRPassword, false, true, false, true},
			{ACRPassword, false, true, true, false},
			{ACRMultiFactor, true, true, false, false},
			{ACRPhishingResistant, false, true, false, false},
			{ACRFederated, false, true, false, true},
		} {
			var until *time.Time
			if c.trusts {
				soon := h.clock.Add(time.Minute)
				until = &soon
			}
			h.exec(t, "UPDATE known_devices SET trusted_until = ?", until)
			session := &Session{ACR: c.acr, User: &User{ID: admission.Session.UserID, TwoFactor: c.twoFactor, HasWebAuthn: c.hasWebAuthn}}
			session.AuthTime = h.clock
			want := map[bool]error{true: ErrSecondFactorOwed}[c.want]
			if proof, err := h.Reauthenticate(t.Context(), session, device); !errors.Is(err, want) || (proof == nil) != c.want {
				t.Errorf("%+v: %v, %v", c, proof, err)
			}
		}
	})
}

// Who has only passkeys and has lost them comes back by mail, and may then replace them, in that browser, for an hour.
func TestResetTrustsTheBrowserOfAPasskeyHolder(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		for _, twoFactor := range []bool{false, true} {
			h.exec(t, "UPDATE users SET has_webauthn = TRUE, two_factor = ?", twoFactor)
			owner := h.read(t, alice.ID)
			token, secret := newResetToken(t.Context(), alice.ID, h.clock)
			h.exec(t, "INSERT INTO password_reset_tokens (id, user_id, token_hash, expires_at, reset_ip, created_at, created_by) VALUES (?, ?, ?, ?, '', ?, '')",
				token.ID, token.UserID, token.TokenHash, token.ExpiresAt, token.CreatedAt)
			step := askForReset(h.Store, owner)
			step.Reset, step.Answered = secret, true
			answered, err := h.seal(step)
			if err != nil {
				t.Fatal(err)
			}
			device := laptop
			if _, device.Secret, err = h.Reset(t.Context(), secret, answered, "purple elephants dance at noon", laptop); err != nil {
				t.Fatal(err)
			}
			session := &Session{ACR: ACRPassword, User: h.read(t, alice.ID)}
			want := map[bool]error{true: ErrSecondFactorOwed}[twoFactor]
			if err := h.demandSecondFactor(t.Context(), session, device); !errors.Is(err, want) {
				t.Errorf("with two factors %t: %v", twoFactor, err)
			}
			h.pass(trustedByMail)
			if err := h.demandSecondFactor(t.Context(), session, device); !errors.Is(err, ErrSecondFactorOwed) {
				t.Errorf("an hour later: %v", err)
			}
		}
	})
}

// Who ends other devices has the second step asked for in them again.
func TestEndedDevicesAreTrustedNoMore(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		trusted := func() (*Admission, Device) {
			h.pass(2 * time.Minute)
			admission, err := h.FinishSignIn(t.Context(), h.asked(t, laptop), Answer{Code: h.code(t, secret, 0)}, laptop, nil, true)
			if err != nil {
				t.Fatal(err)
			}
			return admission, known(admission)
		}
		for what, end := range map[string]func(other, here *Admission, device Device) error{
			"one": func(other, here *Admission, device Device) error {
				return h.EndDevice(t.Context(), here.Session.UserID, other.Session.ID, device)
			},
			"all": func(_, here *Admission, device Device) error {
				return h.EndOtherDevices(t.Context(), here.Session.UserID, here.Session.ID, device)
			},
		} {
			other, there := trusted()
			here, device := trusted()
			if err := end(other, here, device); err != nil {
				t.Fatal(err)
			}
			h.asked(t, there)
			if admission := h.admitted(t, "alice", device); admission.Session == nil {
				t.Errorf("%s: the browser of the owner is asked too", what)
			}
		}
	})
}

func TestDelayGrowsAndStays(t *testing.T) {
	s := &Store{SignInDelay: 250 * time.Millisecond}
	before := time.Duration(0)
	for failures := range int64(200) {
		got := s.delayAfter(failures)
		if got < before || got > maxDelay || failures >= 20 && got != maxDelay || failures < patientFailures && got != 0 {
			t.Errorf("after %d failures %s, before %s", failures, got, before)
		}
		before = got
	}
}

// Who has only passkeys types a password as before, but not with a browser that the account does not know from a network
// where its owner never was.
func TestUnfamiliarPasswordSignInAsksAKeyHolder(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		first := h.admitted(t, "alice", laptop)
		h.exec(t, "UPDATE users SET has_webauthn = TRUE WHERE username = 'Alice'")
		if admission := h.admitted(t, "alice", laptop); admission.Session == nil {
			t.Error("a browser and a network as always: asked for a key")
		}
		abroad := laptop
		abroad.IP = "203.0.113.9"
		h.asked(t, abroad)
		mine := known(first)
		mine.IP = abroad.IP
		mine.Secret = known(h.admitted(t, "alice", known(first))).Secret
		if admission := h.admitted(t, "alice", mine); admission.Session == nil {
			t.Error("a browser that is known, abroad: asked for a key")
		}
	})
}

func TestQuestionsGrowOld(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		h.app(t, session)
		open := func(sealed string) error {
			_, err := h.OpenSecondStep(t.Context(), sealed)
			return err
		}
		for name, change := range map[string]func() error{
			"ten minutes":   func() error { h.pass(secondStepLifetime + time.Second); return nil },
			"global logout": func() error { _, err := h.SignOutEverywhere(t.Context(), alice.ID, EndedByGlobal); return err },
			"a new hash":    func() error { h.exec(t, "UPDATE users SET password_hash = password_hash || ' '"); return nil },
		} {
			sealed := h.admitted(t, "alice", laptop).SecondStep
			if err := open(sealed); err != nil {
				t.Fatalf("%s: at first %v", name, err)
			}
			if err := change(); err != nil {
				t.Fatal(err)
			}
			if err := open(sealed); !errors.Is(err, ErrSecondStep) {
				t.Errorf("after %s: %v", name, err)
			}
			h.exec(t, "UPDATE users SET password_hash = rtrim(password_hash)")
		}
		if err := open("nonsense"); !errors.Is(err, ErrSecondStep) {
			t.Error(err)
		}
	})
}

func TestBackupCodes(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		session, _ = h.strengthened(t, session, secret)
		old, cookie, err := h.MakeBackupCodes(t.Context(), &Reauthenticated{session})
		if err != nil || len(old) != 10 {
			t.Fatalf("%d codes, %v", len(old), err)
		}
		if session, err = h.SessionBySecret(t.Context(), cookie); err != nil {
			t.Fatal(err)
		}
		codes, _, err := h.MakeBackupCodes(t.Context(), &Reauthenticated{session})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.answer(t, h.asked(t, laptop), old[0]); !errors.Is(err, ErrCode) {
			t.Errorf("a code from before works: %v", err)
		}
		for i, code := range codes {
			if _, err := h.answer(t, h.asked(t, laptop), strings.ToUpper(strings.ReplaceAll(code, "-", " "))); err != nil {
				t.Fatalf("code %d, typed otherwise: %v", i, err)
			}
			if _, err := h.answer(t, h.asked(t, laptop), code); !errors.Is(err, ErrCode) {
				t.Errorf("code %d works twice: %v", i, err)
			}
		}
		if left, _, err := h.BackupCodesLeft(t.Context(), alice.ID); err != nil || left != 0 {
			t.Errorf("%d left, %v", left, err)
		}
		if n := len(h.lines(t, "backup_code", "used")); n != 10 {
			t.Errorf("the ledger knows of %d uses", n)
		}
		text := h.dump(t, "backup_codes") + h.dump(t, "audit_trail") + h.dump(t, "totps")
		for _, code := range append(codes, secret) {
			if strings.Contains(text, code) || strings.Contains(text, backupCodeKey(code)) {
				t.Error("a code is kept in the clear")
			}
		}
	})
}

func TestRemovingAFactorEndsOtherSessions(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		session, _ := h.enter(t, "alice", alicePassword, nil)
		secret := h.app(t, session)
		session, _ = h.strengthened(t, session, secret)
		elsewhere, err := h.answer(t, h.asked(t, laptop), h.code(t, secret, 0))
		if err != nil {
			t.Fatal(err)
		}
		apps, err := h.TOTPs(t.Context(), session.UserID)
		if err != nil || len(apps) != 1 {
			t.Fatalf("%d apps, %v", len(apps), err)
		}
		if _, err := h.RemoveTOTP(t.Context(), &Reauthenticated{session}, uuid.New()); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("an app that is not hers: %v", err)
		}
		cookie, err := h.RemoveTOTP(t.Context(), &Reauthenticated{session}, apps[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.SessionBySecret(t.Context(), cookie); err != nil {
			t.Errorf("this session: %v", err)
		}
		if _, err := h.SessionBySecret(t.Context(), elsewhere.Secret); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("another session lives on: %v", err)
		}
		if admission := h.admitted(t, "alice", laptop); admission.Session == nil {
			t.Error("without an app a second step is asked for")
		}
	})
}

// Whoever took an account and added an app of theirs is out again, app and all, when its owner says so.
func TestNotMeRemovesWhatWasAdded(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.Now = func() time.Time { h.clock = h.clock.Add(time.Microsecond); return h.clock }
		alice := h.alice(t)
		mine, _ := h.enter(t, "alice", alicePassword, nil)
		h.app(t, mine) // the owner's own, an hour before
		h.pass(time.Hour)
		h.exec(t, "UPDATE users SET two_factor = FALSE") // by whatever trick
		theirs, _ := h.enter(t, "alice", alicePassword, nil)
		user := h.read(t, alice.ID)
		proof, link := newLink(user.ID, proofNotMe, notMeProofLifetime, h.clock)
		email, err := h.PrimaryEmail(t.Context(), alice.ID)
		if err != nil {
			t.Fatal(err)
		}
		proof.EmailID = uuid.NullUUID{UUID: email.ID, Valid: true}
		h.exec(t, "INSERT INTO proofs (id, user_id, purpose, email_id, secret_hash, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			proof.ID, proof.UserID, proof.Purpose, proof.EmailID, proof.SecretHash, proof.ExpiresAt, proof.CreatedAt)
		h.app(t, theirs)
		if _, err := h.NotMe(t.Context(), link); err != nil {
			t.Fatal(err)
		}
		apps, err := h.TOTPs(t.Context(), alice.ID)
		if err != nil || len(apps) != 1 || !apps[0].CreatedAt.Before(proof.CreatedAt) {
			t.Errorf("left are %+v, %v", apps, err)
		}
		if !h.read(t, alice.ID).TwoFactor {
			t.Error("the owner's own app counts no more")
		}
	})
}

func TestResetFactors(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		alice := h.alice(t)
		session, cookie := h.enter(t, "alice", alicePassword, nil)
		h.app(t, session)
		removed, err := h.ResetFactors(t.Context(), h.read(t, alice.ID))
		if err != nil || removed["totps"] != 1 {
			t.Fatalf("%v, %v", removed, err)
		}
		if _, err := h.SessionBySecret(t.Context(), cookie); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a session lives on: %v", err)
		}
		if admission := h.admitted(t, "alice", laptop); admission.Session == nil {
			t.Error("a second step is asked for")
		}
		if n := len(h.lines(t, "user", "factors_reset")); n != 1 {
			t.Errorf("the ledger has %d lines of it", n)
		}
	})
}

func TestAssures(t *testing.T) {
	for _, c := range []struct {
		acr, wanted string
		want        bool
	}{
		{ACRPassword, ACRPassword, true}, {ACRMultiFactor, ACRPassword, true}, {ACRPassword, ACRMultiFactor, false},
		{ACRPhishingResistant, ACRMultiFactor, true}, {ACRMultiFactor, ACRPhishingResistant, false},
		{"", ACRPassword, false}, {ACRPassword, "", false}, {"", "", false}, {"unheard of", "unheard of", false},
	} {
		if got := Assures(c.acr, c.wanted); got != c.want {
			t.Errorf("%q assures %q: %t", c.acr, c.wanted, got)
		}
	}
}
