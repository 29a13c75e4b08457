package ownership_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/identity/signin"
)

// notMeLink writes to alice of that session, and returns the secret of the link.
func notMeLink(t *testing.T, h *identitytest.Stack, session *identity.Session) string {
	t.Helper()
	proof, link := identity.NewLink(session.UserID, identity.ProofNotMe, identity.NotMeProofLifetime, h.Now())
	email, err := h.Emails().Primary(t.Context(), session.UserID)
	if err != nil {
		t.Fatal(err)
	}
	proof.EmailID = uuid.NullUUID{UUID: email.ID, Valid: true}
	proof.SessionID = uuid.NullUUID{UUID: session.ID, Valid: true}
	err = h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(proof).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// told lists to whom a message was sent, with its values.
func told(t *testing.T, h *identitytest.Stack, name string) []identity.Message {
	t.Helper()
	list, err := h.Jobs.JobList(t.Context(), river.NewJobListParams().
		Kinds(identity.Message{}.Kind()).
		OrderBy(river.JobListOrderByID, river.SortOrderAsc).
		First(1000))
	if err != nil {
		t.Fatal(err)
	}
	var messages []identity.Message
	for _, job := range list.Jobs {
		var message identity.Message
		if err := json.Unmarshal(job.EncodedArgs, &message); err != nil {
			t.Fatal(err)
		}
		if message.Name == name {
			messages = append(messages, message)
		}
	}
	return messages
}

// thiefsDevice is not the owner's.
var thiefsDevice = identity.Device{
	UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	Language:  "xx", IP: "203.0.113.9",
}

// newestLink is the secret of the link in the last message of that name.
func newestLink(t *testing.T, h *identitytest.Stack, name string) string {
	t.Helper()
	messages := told(t, h, name)
	if len(messages) == 0 {
		t.Fatalf("%s was not sent", name)
	}
	secret, err := h.Seal.Open(identity.SealForMessages, messages[len(messages)-1].Secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(secret)
}

// stolen is alice's account, in which a thief has signed in with her password and added a passkey and an app.
func stolen(t *testing.T, h *identitytest.Stack) (alice *identity.User, thief *identity.Session, app string) {
	t.Helper()
	alice = h.Alice(t)
	h.Pass(30 * 24 * time.Hour)
	h.Enter(t, "alice", identitytest.AlicePassword, nil)
	h.Pass(time.Hour)
	thief = h.Admitted(t, "alice", thiefsDevice).Session
	h.Pass(time.Minute)
	addPasskey(t, h, thief)
	h.Pass(time.Minute)
	app = h.App(t, thief)
	thief.AMR, thief.ACR, thief.User = []string{"pwd", "otp", "mfa"}, identity.ACRMultiFactor, h.Read(t, alice.ID)
	return alice, thief, app
}

// Whichever mail its owner answers, the newest or an older one, all is taken back that any of them told of. A thief who
// chooses another password, or removes it, does not void the links of before.
func TestNotMeReachesBackToTheFirstMail(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, h *identitytest.Stack, thief *identity.Session)
		link string
	}{
		"the newest after another password": {do: changePassword, link: identity.MessagePasswordChanged},
		"the first after another password":  {do: changePassword, link: identity.MessageNewSignIn},
		"the newest after no password":      {do: removePassword, link: identity.MessageFactorRemoved},
		"the first after no password":       {do: removePassword, link: identity.MessageNewSignIn},
		"the newest": {
			do: func(*testing.T, *identitytest.Stack, *identity.Session) {}, link: identity.MessageFactorAdded,
		},
	} {
		t.Run(name, func(t *testing.T) {
			identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
				alice, thief, _ := stolen(t, h)
				c.do(t, h, thief)
				h.Pass(time.Minute)
				if _, err := ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, c.link)); err != nil {
					t.Fatal(err)
				}
				left, err := h.Factors.List(t.Context(), alice.ID)
				if err != nil || len(left.Passkeys) != 0 {
					t.Errorf("the thief has %d passkeys left: %v", len(left.Passkeys), err)
				}
				if len(left.TOTPs) != 1 || left.TOTPs[0].RemovalDueAt == nil {
					t.Errorf("the thief's app should wait: %+v", left.TOTPs)
				}
			})
		})
	}
}

func changePassword(t *testing.T, h *identitytest.Stack, thief *identity.Session) {
	t.Helper()
	_, err := h.SignIn.Passwords().Change(
		t.Context(), thief, thiefsDevice, identitytest.AlicePassword, "purple elephants dance at noon",
	)
	if err != nil {
		t.Fatal(err)
	}
}

func removePassword(t *testing.T, h *identitytest.Stack, thief *identity.Session) {
	t.Helper()
	if _, err := h.SignIn.Passwords().Remove(t.Context(), h.Prove(t, thief)); err != nil {
		t.Fatal(err)
	}
}

// A mail about what was done in a session takes back how that session came: its passkey goes, however old it is.
func TestNotMeKnowsTheSessionOfAChange(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(t *testing.T, h *identitytest.Stack, thief *identity.Session)
		link string
	}{
		"a factor":         {do: addApp, link: identity.MessageFactorAdded},
		"another password": {do: changePassword, link: identity.MessagePasswordChanged},
		"no password":      {do: removePassword, link: identity.MessageFactorRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
				alice := h.Alice(t)
				passkey := addPasskey(t, h, identitytest.NewSession(t, h.Store, alice))
				h.Pass(30 * 24 * time.Hour)
				thief := identitytest.NewSession(t, h.Store, alice)
				h.Exec(t, "UPDATE sessions SET factor_id = ? WHERE id = ?", passkey.ID, thief.ID)
				c.do(t, h, thief)
				if _, err := ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, c.link)); err != nil {
					t.Fatal(err)
				}
				if left, err := h.Factors.Passkeys().List(t.Context(), alice.ID); err != nil || len(left) != 0 {
					t.Errorf("the thief has %d passkeys left: %v", len(left), err)
				}
			})
		})
	}
}

func addApp(t *testing.T, h *identitytest.Stack, thief *identity.Session) {
	t.Helper()
	h.App(t, thief)
}

// What is older than the oldest link that is still good is firm.
func TestNotMeLeavesWhatIsOlderThanItsLinks(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		mine, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		app := h.App(t, mine)
		passkey := addPasskey(t, h, mine)
		h.Pass(identity.NotMeProofLifetime)
		step := h.Asked(t, thiefsDevice)
		if _, err := h.SignIn.SecondSteps().Finish(
			t.Context(), step, factor.Answer{Code: h.Code(t, app, 0)}, thiefsDevice, nil, false,
		); err != nil {
			t.Fatal(err)
		}
		_, err := ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, identity.MessageNewSignIn))
		if err != nil {
			t.Fatal(err)
		}
		left, err := h.Factors.List(t.Context(), alice.ID)
		if err != nil || len(left.Passkeys) != 1 || left.Passkeys[0].ID != passkey.ID || left.RemovalDueAt() != nil {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}

// The passkey by which the disowned sign-in came is not the owner's any more, however old it is.
func TestNotMeRemovesThePasskeyOfTheSession(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		other := addPasskey(t, h, identitytest.NewSession(t, h.Store, alice))
		theirs := addPasskey(t, h, identitytest.NewSession(t, h.Store, alice))
		h.Pass(30 * 24 * time.Hour)
		thief := identitytest.NewSession(t, h.Store, alice)
		h.Exec(t, "UPDATE sessions SET factor_id = ? WHERE id = ?", theirs.ID, thief.ID)
		if _, err := ownership.Of(h.Store).NotMe(t.Context(), notMeLink(t, h, thief)); err != nil {
			t.Fatal(err)
		}
		left, err := h.Factors.Passkeys().List(t.Context(), alice.ID)
		if err != nil || len(left) != 1 || left[0].ID != other.ID {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}

func apps(t *testing.T, h *identitytest.Stack, userID uuid.UUID) []factor.TOTP {
	t.Helper()
	apps, err := h.Factors.TOTPs().List(t.Context(), userID)
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// Whoever took an account and added an app of theirs is out again when its owner says so; the app goes a day later, and
// then the mail alone leads back. What is the owner's own and older stays.
func TestNotMeRemovesWhatWasAdded(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Now = func() time.Time { h.Clock = h.Clock.Add(time.Microsecond); return h.Clock }
		alice := h.Alice(t)
		mine, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.App(t, mine) // the owner's own, a week before
		h.Pass(identity.NotMeProofLifetime)
		h.Exec(t, "UPDATE users SET two_factor = FALSE") // by whatever trick
		theirs, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		link, written := notMeLink(t, h, theirs), h.Clock
		h.App(t, theirs)
		if result, err := ownership.Of(h.Store).NotMe(t.Context(), link); err != nil || len(result.Waiting) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		h.Pass(factor.DisownedKept)
		if _, err := h.SignIn.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := apps(t, h, alice.ID); len(left) != 1 || !left[0].CreatedAt.Before(written) {
			t.Errorf("left are %+v", left)
		}
		if !h.Read(t, alice.ID).TwoFactor {
			t.Error("the owner's own app counts no more")
		}
	})
}

// Whoever reads the mail does not get in by the link of a mail about the owner's new computer, in which she has added
// her app, however long she has used it.
func TestMailDoesNotOpenAnAccountByTheSessionOfItsFactor(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.Pass(30 * 24 * time.Hour)
		app := h.App(t, h.Admitted(t, "alice", thiefsDevice).Session)
		link := newestLink(t, h, identity.MessageNewSignIn)
		h.Pass(48 * time.Hour)
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), h.Code(t, app, 0)); err != nil {
			t.Fatal(err)
		}
		result, err := ownership.Of(h.Store).NotMe(t.Context(), link)
		if err != nil || len(result.Waiting) != 1 {
			t.Fatalf("%+v, %v", result, err)
		}
		_, _, err = h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
			Secret: result.ResetSecret, Password: "purple elephants dance at noon", Device: thiefsDevice,
		})
		if !errors.Is(err, signin.ErrSecondStep) || !h.Read(t, alice.ID).TwoFactor {
			t.Errorf("a password is chosen without the second factor: %v", err)
		}
	})
}

// disownedByMail is what a thief of mail does: alice adds an app and makes backup codes in her old session, and the
// link of a mail that was written before says that a sign-in was not hers.
func disownedByMail(
	t *testing.T, h *identitytest.Stack,
) (alice *identity.User, app string, result *ownership.Disowned) {
	t.Helper()
	alice = h.Alice(t)
	mine, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
	other, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
	link := notMeLink(t, h, other)
	app = h.App(t, mine)
	added, err := h.Emails().Add(t.Context(), h.Proven(t, alice), "alice@work.example")
	if err != nil {
		t.Fatal(err)
	}
	h.Exec(t, "UPDATE emails SET verified_at = ? WHERE id = ?", h.Clock, added.ID)
	if _, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Proven(t, alice)); err != nil {
		t.Fatal(err)
	}
	h.Pass(time.Minute)
	if result, err = ownership.Of(h.Store).NotMe(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	return alice, app, result
}

// The link of a mail does not take what keeps out whoever reads the mail: a second factor waits for a day, of which all
// verified addresses are told, and then goes.
func TestDisownedSecondFactorWaits(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, _, result := disownedByMail(t, h)
		if len(result.Waiting) != 2 || !result.DueAt.Equal(h.Clock.Add(24*time.Hour)) {
			t.Errorf("waiting are %+v", result)
		}
		question, err := h.SignIn.Resets().Check(t.Context(), result.ResetSecret, "")
		if err != nil || question == "" {
			t.Errorf("whoever reads the mail chooses a password without the second factor: %v", err)
		}
		announced := told(t, h, identity.MessageFactorsDisowned)
		if len(announced) != 2 || announced[0].To != "alice@example.com" || announced[1].To != "alice@work.example" ||
			!strings.Contains(announced[0].Values["factors"], "totp ") || announced[0].Secret != nil {
			t.Errorf("announced were %+v", announced)
		}
		h.Pass(24*time.Hour - time.Second)
		if _, err := h.SignIn.Expire(t.Context()); err != nil || len(apps(t, h, alice.ID)) != 1 {
			t.Errorf("removed before its time: %v", err)
		}
		h.Pass(time.Second)
		for run := range 2 { // the second finds nothing to do
			deleted, err := h.SignIn.Expire(t.Context())
			if err != nil || deleted["totps"] != int64(1-run) {
				t.Errorf("run %d: %v, %v", run, deleted, err)
			}
		}
		left, err := h.Factors.List(t.Context(), alice.ID)
		if err != nil || len(left.TOTPs) != 0 || left.BackupCodes != 0 || h.Read(t, alice.ID).TwoFactor {
			t.Errorf("left are %+v, %v", left, err)
		}
		if n := len(h.Lines(t, "totp", "removed")); n != 1 {
			t.Errorf("the audit trail has %d lines of it", n)
		}
		if removed := told(t, h, identity.MessageDisownedRemoved); len(removed) != 1 || // the other address is not trusted
			!strings.Contains(removed[0].Values["factors"], "backup_codes ") {
			t.Errorf("told were %+v", removed)
		}
	})
}

// A factor whose time has come counts for nothing, though nothing has removed it yet: it is no answer and is not kept,
// and its owner, who comes back by mail, is not asked for it.
func TestDisownedFactorWhoseTimeHasComeCountsForNothing(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, _, app := stolen(t, h)
		codes, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Proven(t, alice))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, identity.MessageBackupCodesMade))
		if err != nil {
			t.Fatal(err)
		}
		thief := identitytest.NewSession(t, h.Store, alice)
		late, err := h.SignIn.SecondSteps().ForSession(t.Context(), thief)
		if err != nil {
			t.Fatal(err)
		}
		h.Pass(factor.DisownedKept)
		for _, code := range []string{h.Code(t, app, 0), codes[0]} {
			_, err := h.SignIn.SecondSteps().Strengthen(t.Context(), late, thief, factor.Answer{Code: code}, thiefsDevice)
			if !errors.Is(err, factor.ErrCode) {
				t.Errorf("it answers: %v", err)
			}
		}
		if options, err := h.SignIn.SecondSteps().Options(t.Context(), late); err != nil || *options != (signin.Options{}) {
			t.Errorf("options are %+v, %v", options, err)
		}
		if err := h.Factors.Keep(t.Context(), h.Proven(t, alice)); err != nil {
			t.Fatal(err)
		}
		if n := len(h.Lines(t, "totp", "kept")) + len(h.Lines(t, "backup_codes", "kept")); n != 0 {
			t.Errorf("%d are kept", n)
		}
		token, secret := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		err = h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(token).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if question, err := h.SignIn.Resets().Check(t.Context(), secret, ""); err != nil || question != "" {
			t.Errorf("a reset asks for it: %q, %v", question, err)
		}
		if _, _, err := h.SignIn.Resets().Reset(t.Context(), signin.NewPassword{
			Secret: secret, Password: "purple elephants dance at noon", Device: identitytest.Laptop,
		}); err != nil {
			t.Error(err)
		}
		if n := len(h.Lines(t, "totp", "removed")); n != 1 || h.Read(t, alice.ID).TwoFactor {
			t.Errorf("the audit trail has %d lines of it", n)
		}
	})
}

// Who says it again, by a later mail, is told all that waits, and when the first of it goes.
func TestNotMeAgainTellsWhatWaits(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, _, result := disownedByMail(t, h)
		h.Pass(time.Hour)
		session := identitytest.NewSession(t, h.Store, alice)
		link := notMeLink(t, h, session)
		h.App(t, session)
		again, err := ownership.Of(h.Store).NotMe(t.Context(), link)
		if err != nil || len(again.Waiting) != 3 || !again.DueAt.Equal(result.DueAt) {
			t.Errorf("%+v, %v, and before %+v", again, err, result)
		}
		announced := told(t, h, identity.MessageFactorsDisowned)
		if last := announced[len(announced)-1]; strings.Count(last.Values["factors"], "totp ") != 2 ||
			last.Values["time"] != result.DueAt.Format(time.RFC3339) {
			t.Errorf("announced were %+v", announced)
		}
	})
}

// Whoever signs in with the second factor is its owner: it stays, and so does what they keep.
func TestDisownedFactorThatIsUsedStays(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, app, result := disownedByMail(t, h)
		question, err := h.SignIn.Resets().Check(t.Context(), result.ResetSecret, "")
		if err != nil {
			t.Fatal(err)
		}
		step, err := h.SignIn.SecondSteps().Open(t.Context(), question)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.SignIn.SecondSteps().AllowReset(
			t.Context(), step, factor.Answer{Code: "000000"}, identitytest.Laptop,
		); !errors.Is(err, factor.ErrCode) {
			t.Fatal(err)
		}
		if apps(t, h, alice.ID)[0].RemovalDueAt == nil {
			t.Error("a wrong code keeps the app")
		}
		if _, err := h.SignIn.SecondSteps().AllowReset(
			t.Context(), step, factor.Answer{Code: h.Code(t, app, 0)}, identitytest.Laptop,
		); err != nil {
			t.Fatal(err)
		}
		factors, err := h.Factors.List(t.Context(), alice.ID)
		if err != nil || factors.TOTPs[0].RemovalDueAt != nil || factors.RemovalDueAt() == nil {
			t.Errorf("after the app was used: %+v, %v", factors, err)
		}
		h.Pass(24*time.Hour - time.Second)
		if err := h.Factors.Keep(t.Context(), h.Proven(t, alice)); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Second)
		if _, err := h.SignIn.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		factors, err = h.Factors.List(t.Context(), alice.ID)
		if err != nil || len(factors.TOTPs) != 1 || factors.BackupCodes != 10 || factors.RemovalDueAt() != nil {
			t.Errorf("left are %+v, %v", factors, err)
		}
		for _, kind := range []string{"totp", "backup_codes"} {
			if n := len(h.Lines(t, kind, "kept")); n != 1 {
				t.Errorf("the audit trail has %d lines of %s", n, kind)
			}
		}
		ended := h.Proven(t, alice)
		h.Exec(t, "UPDATE sessions SET ended_at = ? WHERE id = ?", h.Clock, ended.ID)
		if err := h.Factors.Keep(t.Context(), ended); !errors.Is(err, identity.ErrSessionEnded) {
			t.Errorf("in a session that has ended: %v", err)
		}
	})
}

// A backup code that is used keeps all of them.
func TestDisownedBackupCodesStayWhenOneIsUsed(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session, _ := h.Enter(t, "alice", identitytest.AlicePassword, nil)
		h.App(t, session)
		codes, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Proven(t, alice))
		if err != nil {
			t.Fatal(err)
		}
		h.Exec(t, "UPDATE backup_codes SET removal_due_at = ?", h.Clock.Add(time.Hour))
		if _, err := h.Answer(t, h.Asked(t, identitytest.Laptop), codes[3]); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Hour)
		if _, err := h.SignIn.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := h.Factors.List(t.Context(), alice.ID); err != nil || left.BackupCodes != 9 {
			t.Errorf("left are %+v, %v", left, err)
		}
	})
}

// An answer that was under way while its owner said "not me" lets nobody in, and does not keep the app.
func TestAnswerOnItsWayDoesNotKeepADisownedFactor(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, _, app := stolen(t, h)
		theirs := identitytest.NewSession(t, h.Store, alice)
		toSignIn := h.Asked(t, thiefsDevice)
		toStrength, err := h.SignIn.SecondSteps().ForSession(t.Context(), theirs)
		if err != nil {
			t.Fatal(err)
		}
		_, link := identity.NewResetToken(t.Context(), alice.ID, h.Now())
		toReset := *toSignIn
		toReset.Purpose, toReset.Reset = signin.ToReset, link
		if _, err := ownership.Of(h.Store).NotMe(
			t.Context(), newestLink(t, h, identity.MessageFactorAdded),
		); err != nil {
			t.Fatal(err)
		}
		answer := factor.Answer{Code: h.Code(t, app, 0)}
		for purpose, give := range map[string]func() error{
			signin.ToSignIn: func() error {
				_, err := h.SignIn.SecondSteps().Finish(t.Context(), toSignIn, answer, thiefsDevice, nil, false)
				return err
			},
			signin.ToStrength: func() error {
				_, err := h.SignIn.SecondSteps().Strengthen(t.Context(), toStrength, theirs, answer, thiefsDevice)
				return err
			},
			signin.ToReset: func() error {
				_, err := h.SignIn.SecondSteps().AllowReset(t.Context(), &toReset, answer, thiefsDevice)
				return err
			},
		} {
			if err := give(); !errors.Is(err, signin.ErrSecondStep) {
				t.Errorf("%s: %v", purpose, err)
			}
			if left := apps(t, h, alice.ID); len(left) != 1 || left[0].RemovalDueAt == nil {
				t.Errorf("%s keeps the app: %+v", purpose, left)
			}
		}
	})
}

// A factor that a thief keeps is told to its owner, whose answer takes it back, however it was kept.
func TestOwnerIsToldOfAFactorThatIsKept(t *testing.T) {
	for name, keep := range map[string]func(t *testing.T, h *identitytest.Stack, alice *identity.User, app string){
		"on the page": func(t *testing.T, h *identitytest.Stack, alice *identity.User, _ string) {
			if err := h.Factors.Keep(t.Context(), h.Proven(t, alice)); err != nil {
				t.Fatal(err)
			}
		},
		"by its use": func(t *testing.T, h *identitytest.Stack, alice *identity.User, app string) {
			session := identitytest.NewSession(t, h.Store, alice)
			h.Strengthened(t, session, app)
		},
	} {
		t.Run(name, func(t *testing.T) {
			identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
				alice, _, app := stolen(t, h)
				_, err := ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, identity.MessageFactorAdded))
				if err != nil {
					t.Fatal(err)
				}
				h.Pass(time.Minute)
				keep(t, h, alice, app)
				h.Pass(time.Minute)
				if left := apps(t, h, alice.ID); left[0].RemovalDueAt != nil || len(h.Lines(t, "totp", "kept")) != 1 {
					t.Fatalf("left are %+v", left)
				}
				messages := told(t, h, identity.MessageFactorsKept)
				if len(messages) != 1 || !strings.HasPrefix(messages[0].Values["factors"], "totp ") {
					t.Fatalf("told were %+v", messages)
				}
				result, err := ownership.Of(h.Store).NotMe(t.Context(), newestLink(t, h, identity.MessageFactorsKept))
				if err != nil || len(result.Waiting) != 1 || apps(t, h, alice.ID)[0].RemovalDueAt == nil {
					t.Errorf("%+v, %v", result, err)
				}
			})
		})
	}
}
