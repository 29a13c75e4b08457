package identity_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
)

func TestPhoneNumbersAsTheyAreKept(t *testing.T) {
	for typed, want := range map[string]string{
		"+493012345":                   "+493012345",
		" +49 (30) 123-45 ":            "+493012345",
		"+1.202.555.0199":              "+12025550199",
		"+49\u00a030\u202f123\u201345": "+493012345", // spaces and dashes of word processors
		"+1234567":                     "+1234567",
		"+123456789012345":             "+123456789012345",
	} {
		if got, err := identifier.PhoneNumber(typed); err != nil || got != want {
			t.Errorf("%q: %q (%v), want %q", typed, got, err, want)
		}
	}
	for _, typed := range []string{
		"", "+", "030 12345", "0049 30 12345", "493012345", "+123456", "+1234567890123456", "+0123456789", "++493012345",
		"+49301234x", "+4930,12345", "+49/30/12345",
		"+4930123\x0045", "+4930\u0661\u0662\u0663\u0664\u0665", "tel:+493012345", "+493012345;ext=1", "alice",
		"\xff+493012345", "+49 30 12345" + strings.Repeat(" ", 64),
	} {
		if number, err := identifier.PhoneNumber(typed); !errors.Is(err, identifier.ErrPhoneInvalid) {
			t.Errorf("%q is taken as %q (%v)", typed, number, err)
		}
	}
}

// wrong is a code other than the right one, for each i another.
func wrong(code string, i int) string {
	var n int
	_, _ = fmt.Sscanf(code, "%d", &n)
	return fmt.Sprintf("%06d", (n+1+i)%1_000_000)
}

const aliceNumber = "+493012345"

// A number that no phone can have costs no text message.
func TestImpossibleNumbersAreRefused(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		for _, number := range []string{"+999123456789", "+1555010", "+4420794600011234", "+21000000000"} {
			if _, err := h.Phones().Add(t.Context(), h.Proven(t, alice), number); !errors.Is(err, identifier.ErrPhoneInvalid) {
				t.Errorf("%s: %v", number, err)
			}
		}
	})
}

func TestPhoneIsVerifiedByTheYoungestCodeOnce(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, bob := h.Alice(t), h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		phone, older := h.AddPhone(t, alice, "+49 30 123-45")
		if _, err := h.Phones().Add(
			t.Context(), h.Proven(t, alice), "+49 (30) 12345",
		); !errors.Is(err, identity.ErrPhoneListed) {
			t.Errorf("the same number again: %v", err)
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, bob), phone.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("somebody else has a code sent: %v", err)
		}
		var younger string
		for younger = older; younger == older; { // one time in a million they are alike
			if err := h.Phones().Resend(t.Context(), h.Proven(t, alice), phone.ID); err != nil {
				t.Fatal(err)
			}
			younger = h.SentCodes(t, aliceNumber)[1]
		}
		for _, refused := range []struct {
			what string
			user *identity.User
			id   uuid.UUID
			code string
		}{
			{"an older code", alice, phone.ID, older},
			{"a wrong code", alice, phone.ID, wrong(younger, 0)},
			{"what is no code", alice, phone.ID, younger + "0"},
			{"nothing", alice, phone.ID, ""},
			{"somebody else", bob, phone.ID, younger},
			{"no phone", alice, uuid.New(), younger},
		} {
			if _, err := h.Phones().Verify(
				t.Context(), h.Proven(t, refused.user), refused.id, refused.code,
			); !errors.Is(err, identity.ErrProof) {
				t.Errorf("%s: %v", refused.what, err)
			}
		}
		if strings.Contains(h.Dump(t, "proofs"), younger) || strings.Contains(h.Dump(t, "audit_trail"), younger) {
			t.Error("the code is kept in the clear")
		}
		verified, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, " "+younger[:3]+" "+younger[3:])
		if err != nil || verified.VerifiedAt == nil || !verified.VerifiedAt.Equal(h.Clock) || !verified.IsPrimary {
			t.Fatalf("%+v, %v", verified, err)
		}
		if _, err := h.Phones().Verify(
			t.Context(), h.Proven(t, alice), phone.ID, younger,
		); !errors.Is(err, identity.ErrProof) {
			t.Errorf("the code works twice: %v", err)
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, alice), phone.ID); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a code for a verified number: %v", err)
		}
		for action, want := range map[string]int{"added": 1, "code_sent": 1, "code_refused": 2, "verified": 1} {
			lines := h.Lines(t, "phone", action)
			if len(lines) != want || lines[0].UserID.UUID != alice.ID ||
				!strings.Contains(string(lines[0].NewValues), aliceNumber) {
				t.Errorf("%s: %d lines, want %d", action, len(lines), want)
			}
		}
	})
}

func TestPhoneCodeExpires(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		phone, code := h.AddPhone(t, alice, aliceNumber)
		h.Pass(identity.PhoneProofLifetime)
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, code); !errors.Is(err, identity.ErrProof) {
			t.Errorf("after ten minutes: %v", err)
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, alice), phone.ID); err != nil {
			t.Fatal(err)
		}
		code = h.SentCodes(t, aliceNumber)[1]
		h.Pass(identity.PhoneProofLifetime - time.Microsecond)
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, code); err != nil {
			t.Errorf("just before: %v", err)
		}
	})
}

func TestPhoneCodeHasFewTries(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		phone, code := h.AddPhone(t, alice, aliceNumber)
		for i := range identity.MaxCodeTries - 1 {
			if _, err := h.Phones().Verify(
				t.Context(), h.Proven(t, alice), phone.ID, wrong(code, i),
			); !errors.Is(err, identity.ErrProof) {
				t.Fatalf("try %d: %v", i, err)
			}
		}
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, code); err != nil {
			t.Errorf("the right code as the last try: %v", err)
		}
		// However many try at once, no more than the allowed tries are looked at.
		other, code := h.AddPhone(t, alice, "+12025550199")
		var all sync.WaitGroup
		for i := range 4 * identity.MaxCodeTries {
			all.Go(func() {
				if _, err := h.Phones().Verify(
					t.Context(), h.Proven(t, alice), other.ID, wrong(code, i),
				); !errors.Is(err, identity.ErrProof) {
					t.Errorf("a wrong code: %v", err)
				}
			})
		}
		all.Wait()
		if refused := h.Lines(t, "phone", "code_refused"); len(refused) != 2*identity.MaxCodeTries-1 {
			t.Errorf("%d tries were looked at, want %d", len(refused)-identity.MaxCodeTries+1, identity.MaxCodeTries)
		}
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), other.ID, code); !errors.Is(err, identity.ErrProof) {
			t.Errorf("the right code after too many wrong ones: %v", err)
		}
	})
}

func TestOneOfManyVerifiesANumber(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		var people [identity.MaxTextsTo]*identity.User
		var phones [identity.MaxTextsTo]*identity.Phone
		var codes [identity.MaxTextsTo]string
		for i := range people {
			people[i] = h.Register(t, identity.NewUser{
				Username: fmt.Sprintf("person%d", i), Password: identitytest.AlicePassword,
			})
			phones[i], codes[i] = h.AddPhone(t, people[i], aliceNumber)
		}
		var mu sync.Mutex
		outcomes := map[error]int{}
		var all sync.WaitGroup
		for i := range people {
			for range 3 { // with one code several times at once, too
				all.Go(func() {
					_, err := h.Phones().Verify(t.Context(), h.Proven(t, people[i]), phones[i].ID, codes[i])
					mu.Lock()
					defer mu.Unlock()
					outcomes[err]++
				})
			}
		}
		all.Wait()
		if outcomes[nil] != 1 || outcomes[identity.ErrPhoneTaken] != identity.MaxTextsTo-1 ||
			outcomes[identity.ErrProof] != 2*identity.MaxTextsTo {
			t.Errorf("outcomes: %v", outcomes)
		}
	})
}

func TestCodeOutlivesAnotherMasterKey(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		before, after := seal.NewMasterKey(), seal.NewMasterKey()
		seal := func(keys string) *seal.Seal {
			seal, err := seal.Parse(keys)
			if err != nil {
				t.Fatal(err)
			}
			return seal
		}
		h.Seal = seal(before)
		alice := h.Alice(t)
		phone, code := h.AddPhone(t, alice, aliceNumber)
		h.Seal = seal(after + "," + before)
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, code); err != nil {
			t.Error(err)
		}
	})
}

func TestTextMessagesAreCounted(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, bob := h.Alice(t), h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		phone, _ := h.AddPhone(t, alice, aliceNumber)
		for range identity.MaxTextsTo - 1 {
			if err := h.Phones().Resend(t.Context(), h.Proven(t, alice), phone.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, alice), phone.ID); !errors.Is(err, identity.ErrTooManyTexts) {
			t.Errorf("one too many to a number: %v", err)
		}
		if _, err := h.Phones().Add(t.Context(), h.Proven(t, bob), aliceNumber); !errors.Is(err, identity.ErrTooManyTexts) {
			t.Errorf("and by somebody else: %v", err)
		}
		// Removing and adding again opens no way around it.
		if err := h.Phones().Remove(t.Context(), h.Proven(t, alice), phone.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Phones().Add(t.Context(), h.Proven(t, alice), aliceNumber); !errors.Is(err, identity.ErrTooManyTexts) {
			t.Errorf("after removing the number: %v", err)
		}
		var last *identity.Phone
		for i := range identity.MaxTextsBy - 1 { // the one that was refused is not counted
			phone, err := h.Phones().Add(t.Context(), h.Proven(t, bob), fmt.Sprintf("+12025550%03d", i))
			if err != nil {
				t.Fatalf("text %d by one person: %v", i+1, err)
			}
			last = phone
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, bob), last.ID); err != nil {
			t.Errorf("the last text that one person may have sent: %v", err)
		}
		if err := h.Phones().Resend(t.Context(), h.Proven(t, bob), last.ID); !errors.Is(err, identity.ErrTooManyTexts) {
			t.Errorf("one too many by one person: %v", err)
		}
		h.Pass(identity.TextWindow)
		if _, err := h.Phones().Add(t.Context(), h.Proven(t, bob), aliceNumber); err != nil {
			t.Errorf("a day later: %v", err)
		}
		if _, err := h.Phones().Add(
			t.Context(), h.Proven(t, bob), "+4930999999",
		); !errors.Is(err, identity.ErrTooManyPhones) {
			t.Errorf("an eleventh number: %v", err)
		}
		h.Texts = false
		if _, err := h.Phones().Add(t.Context(), h.Proven(t, alice), "+4930999999"); !errors.Is(err, identity.ErrNoTexts) {
			t.Errorf("without a way to send texts: %v", err)
		}
	})
}

func TestPrimaryPhoneAndRemoval(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice, bob := h.Alice(t), h.Register(t, identity.NewUser{Username: "bob", Password: identitytest.AlicePassword})
		first, second := h.Verified(t, alice, aliceNumber), h.Verified(t, alice, "+12025550199")
		claimed, _ := h.AddPhone(t, alice, "+4930999999")
		if !first.IsPrimary || second.IsPrimary {
			t.Errorf("primary: %v, %v", first.IsPrimary, second.IsPrimary)
		}
		for _, step := range []struct {
			what string
			got  error
			want error
		}{
			{"a number that is not verified becomes primary", h.Phones().MakePrimary(
				t.Context(), h.Proven(t, alice), claimed.ID,
			), storage.ErrNotFound},
			{"somebody else's becomes primary", h.Phones().MakePrimary(
				t.Context(), h.Proven(t, bob), second.ID,
			), storage.ErrNotFound},
			{"somebody else's is removed", h.Phones().Remove(t.Context(), h.Proven(t, bob), second.ID), storage.ErrNotFound},
			{"the primary one is removed before another", h.Phones().Remove(
				t.Context(), h.Proven(t, alice), first.ID,
			), identity.ErrPrimaryPhone},
			{"another becomes primary", h.Phones().MakePrimary(t.Context(), h.Proven(t, alice), second.ID), nil},
			{"the former primary one is removed", h.Phones().Remove(t.Context(), h.Proven(t, alice), first.ID), nil},
			{"the last verified one is removed", h.Phones().Remove(t.Context(), h.Proven(t, alice), second.ID), nil},
		} {
			if !errors.Is(step.got, step.want) {
				t.Errorf("%s: %v, want %v", step.what, step.got, step.want)
			}
		}
		if left, err := h.Phones().List(t.Context(), alice.ID); err != nil || len(left) != 1 || left[0].ID != claimed.ID {
			t.Errorf("left are %+v, %v", left, err)
		}
		if made, removed := h.Lines(t, "phone", "made_primary"), h.Lines(t, "phone", "removed"); len(made) != 1 ||
			len(removed) != 2 || !strings.Contains(string(removed[0].OldValues), aliceNumber) {
			t.Errorf("audit trail: %+v, %+v", made, removed)
		}
	})
}

func TestSignInByPhone(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		phone, code := h.AddPhone(t, alice, aliceNumber)
		if err := h.Try(t, aliceNumber, identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("a number that is not verified: %v", err)
		}
		if _, err := h.Phones().Verify(t.Context(), h.Proven(t, alice), phone.ID, code); err != nil {
			t.Fatal(err)
		}
		for _, typed := range []string{aliceNumber, " +49 (30) 123-45 "} {
			if session, _ := h.Enter(t, typed, identitytest.AlicePassword, nil); session.UserID != alice.ID {
				t.Errorf("%q lets in %s", typed, session.UserID)
			}
		}
		if err := h.Try(t, "03012345", identitytest.AlicePassword); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("without the country code: %v", err)
		}
	})
}
