package ownership_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
)

// known is laptop with what its device cookie holds after that sign-in.
func known(admission *signin.Outcome) identity.Device {
	device := identitytest.Laptop
	device.Secret = admission.DeviceSecret
	return device
}

// newcomer signs carol up, whose address is not verified, and returns her session, its browser and the link.
func newcomer(t *testing.T, h *identitytest.Stack) (*identity.Session, identity.Device, string) {
	t.Helper()
	outcome, err := h.SignIn.SignUp(t.Context(), signin.SignUp{
		Username: "carol", Email: "carol@example.com", Password: identitytest.AlicePassword, Device: identitytest.Laptop,
	})
	if err != nil {
		t.Fatal(err)
	}
	return outcome.Session, known(outcome), verificationLink(t, h)
}

func verificationLink(t *testing.T, h *identitytest.Stack) string {
	t.Helper()
	sent := told(t, h, identity.MessageVerifyEmail)
	secret, err := h.Seal.Open(identity.SealForMessages, sent[len(sent)-1].Secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(secret)
}

// keys are those of the ways that the link would remove.
func keys(t *testing.T, h *identitytest.Stack, link string, in *identity.Session, device identity.Device) []string {
	t.Helper()
	verification, err := ownership.Of(h.Store).OpenVerification(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	ways, err := ownership.Of(h.Store).WaysBefore(t.Context(), verification, in, device)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, way := range ways {
		kinds = append(kinds, way.Kind)
	}
	return kinds
}

// addPasskey gives the person of a session a passkey that is not of that session.
func addPasskey(t *testing.T, h *identitytest.Stack, session *identity.Session) *factor.Passkey {
	t.Helper()
	key := &factor.Passkey{Authenticator: factor.Authenticator{
		ID: storage.NewID(), UserID: session.UserID, Name: "Phone", RPID: "localhost",
		CredentialID: []byte(storage.NewSecret()), PublicKey: []byte{1}, Transports: []string{}, Attestation: []byte("{}"),
		CreatedAt: h.Now(),
	}}
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(key).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// What the session that verifies has added and shown is its person's; so is the password that they typed.
func TestFirstVerificationKeepsWhatIsOfItsSession(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		session, device, link := newcomer(t, h)
		app := h.App(t, session)
		session, _ = h.Strengthened(t, session, app)
		if _, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, session)); err != nil {
			t.Fatal(err)
		}
		if got := keys(t, h, link, session, device); len(got) != 0 {
			t.Errorf("would be removed: %q", got)
		}
		if _, err := ownership.Of(h.Store).Verify(t.Context(), h.Prove(t, session), device, link, nil); err != nil {
			t.Fatal(err)
		}
		left, err := h.Factors.List(t.Context(), session.UserID)
		if err != nil || len(left.TOTPs) != 1 || left.BackupCodes != 10 || h.Read(t, session.UserID).PasswordHash == "" {
			t.Errorf("left are %+v, %v", left, err)
		}
		if sent := told(t, h, identity.MessageWaysRemoved); len(sent) != 0 {
			t.Errorf("a mail says that something was removed: %+v", sent)
		}
	})
}

// What other sessions have added before goes with the first verification, unless it is kept; a mail says what went.
func TestFirstVerificationRemovesWhatOthersAdded(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		theirs, _, link := newcomer(t, h)
		app := h.App(t, theirs)
		theirs, _ = h.Strengthened(t, theirs, app)
		codes, _, err := h.Factors.BackupCodes().Make(t.Context(), h.Prove(t, theirs))
		if err != nil {
			t.Fatal(err)
		}
		passkey := addPasskey(t, h, theirs)

		// by a backup code, which is nobody's factor to keep
		admission := h.Admitted(t, "carol", identitytest.Laptop)
		step, err := h.SignIn.SecondSteps().Open(t.Context(), admission.SecondStep)
		if err != nil {
			t.Fatal(err)
		}
		outcome, err := h.Answer(t, step, codes[0])
		if err != nil {
			t.Fatal(err)
		}
		mine, device := outcome.Session, known(outcome)
		want := []string{"passkey", "totp", "backup_codes", ownership.KnownDevices}
		if got := keys(t, h, link, mine, device); !slices.Equal(got, want) {
			t.Errorf("would be removed: %q, want %q", got, want)
		}
		keep := []string{"backup_codes", "nonsense"}
		if _, err := ownership.Of(h.Store).Verify(t.Context(), h.Prove(t, mine), device, link, keep); err != nil {
			t.Fatal(err)
		}
		left, err := h.Factors.List(t.Context(), mine.UserID)
		if err != nil || len(left.Passkeys) != 0 || len(left.TOTPs) != 0 {
			t.Errorf("left are %+v, %v", left, err)
		}
		if lines := h.Lines(t, "passkey", "removed"); len(lines) != 1 || lines[0].EntityID != passkey.ID.String() {
			t.Errorf("the audit trail has %+v", lines)
		}
		if !h.HasEnded(t, theirs) || h.HasEnded(t, mine) {
			t.Error("not the sessions that should have ended")
		}
		sent := told(t, h, identity.MessageWaysRemoved)
		if len(sent) != 1 || sent[0].To != "carol@example.com" || !strings.Contains(sent[0].Values["factors"], "passkey ") ||
			!strings.Contains(sent[0].Values["factors"], "totp ") || strings.Contains(sent[0].Values["factors"], "Phone") {
			t.Errorf("the mails say %+v", sent)
		}
		if other, err := h.KnownDevice(
			t.Context(), h.Database.Reader(), h.Clock, mine.User, device,
		); err != nil || other == nil {
			t.Errorf("the browser of the session is forgotten: %v", err)
		}
	})
}

// The app that was shown in the session is its person's, whichever session has added it.
func TestFirstVerificationKeepsTheAppThatWasShown(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		theirs, _, link := newcomer(t, h)
		app := h.App(t, theirs)
		outcome := h.Admitted(t, "carol", identitytest.Laptop)
		step, err := h.SignIn.SecondSteps().Open(t.Context(), outcome.SecondStep)
		if err != nil {
			t.Fatal(err)
		}
		if outcome, err = h.Answer(t, step, h.Code(t, app, 0)); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Minute)
		if got := keys(t, h, link, outcome.Session, known(outcome)); !slices.Equal(got, []string{ownership.KnownDevices}) {
			t.Errorf("would be removed after it was asked for at the sign-in: %q", got)
		}
		// A session of the password alone shows it later.
		h.Exec(t, "UPDATE sessions SET amr = '[\"pwd\"]', acr = ?, factor_id = NULL", identity.ACRPassword)
		session, err := h.Sessions().BySecret(t.Context(), outcome.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if got := keys(t, h, link, session, known(outcome)); !slices.Equal(got, []string{"totp", ownership.KnownDevices}) {
			t.Errorf("would be removed in a session of the password alone: %q", got)
		}
		session, _ = h.Strengthened(t, session, app)
		if got := keys(t, h, link, session, known(outcome)); !slices.Equal(got, []string{ownership.KnownDevices}) {
			t.Errorf("would be removed after it was shown for a page: %q", got)
		}
	})
}

// The passkey that began the session stays without a tick. The password, which was not typed in it, does not.
func TestFirstVerificationInASessionOfAPasskey(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		for _, keep := range [][]string{nil, {ownership.WithPassword}} {
			h.Exec(t, "DELETE FROM users")
			session, device, link := newcomer(t, h)
			passkey, foreign := addPasskey(t, h, session), addPasskey(t, h, session)
			h.Exec(t, "UPDATE sessions SET amr = '[\"swk\",\"user\",\"mfa\"]', factor_id = ? WHERE id = ?", passkey.ID, session.ID)
			if got := keys(t, h, link, session, device); !slices.Equal(got, []string{"passkey", ownership.WithPassword}) {
				t.Errorf("would be removed: %q", got)
			}
			by := h.Prove(t, session)
			if _, err := ownership.Of(h.Store).Verify(t.Context(), by, device, link, keep); err != nil {
				t.Fatal(err)
			}
			left, err := h.Factors.Passkeys().List(t.Context(), session.UserID)
			if err != nil || len(left) != 1 || left[0].ID != passkey.ID {
				t.Errorf("left are %+v without %s, %v", left, foreign.ID, err)
			}
			if has := h.Read(t, session.UserID).PasswordHash != ""; has != (keep != nil) {
				t.Errorf("kept %q: there is a password %t", keep, has)
			}
			if n := len(h.Lines(t, "password", "removed")); n != 1 {
				t.Errorf("the audit trail has %d lines of the password", n)
			}
		}
	})
}
