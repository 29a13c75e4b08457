package signin_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A link does what it was sent for, by its very secret, and nothing else: whatever else stands in its place is no link,
// and no fault. %R, %V, %U, %N and %I are the secrets of links that choose another password, verify an address,
// unlock, disown a sign-in and invite; %S is a session's, %D a known browser's.
func FuzzLinks(f *testing.F) {
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	alice := h.Alice(f)
	session, cookie := h.Enter(f, "alice", identitytest.AlicePassword, nil)
	now := h.Clock
	token, reset := identity.NewResetToken(f.Context(), alice.ID, now)
	unlocking, unlock := identity.NewLink(alice.ID, identity.ProofToUnlock, identity.UnlockProofLifetime, now)
	disowning, notMe := identity.NewLink(alice.ID, identity.ProofNotMe, identity.NotMeProofLifetime, now)
	verifying, verify := identity.NewLink(alice.ID, identity.ProofOfEmail, time.Hour, now)
	emails, err := h.Emails().List(f.Context(), alice.ID)
	if err != nil {
		f.Fatal(err)
	}
	verifying.EmailID.UUID, verifying.EmailID.Valid = emails[0].ID, true
	device, err := storage.Write(f.Context(), h.Database, func(ctx context.Context, tx bun.Tx) (string, error) {
		if _, err := tx.NewInsert().Model(token).Exec(ctx); err != nil {
			return "", err
		}
		for _, proof := range []*identity.Proof{unlocking, disowning, verifying} {
			if _, err := tx.NewInsert().Model(proof).Exec(ctx); err != nil {
				return "", err
			}
		}
		return signin.RememberDevice(ctx, tx, now, alice, identitytest.Laptop, identity.NotTrusted)
	})
	if err != nil {
		f.Fatal(err)
	}
	_, invite, err := h.SignIn.Invitations().Create(f.Context(), signin.NewInvitation{Lifetime: time.Hour})
	if err != nil {
		f.Fatal(err)
	}
	secrets := strings.NewReplacer(
		"%R", reset, "%V", verify, "%U", unlock, "%N", notMe, "%I", invite, "%S", cookie, "%D", device,
	)
	for _, text := range []string{
		"", "%R", "%V", "%U", "%N", "%I", "%S", "%D", "%R%R", " %R", "%R ", "%R\n", "%R=", "%R\x00", "\x00", "\xff\xfe", "' OR 1=1 --", "%R%", "%%R",
		session.ID.String(), string(session.SecretHash), string(token.TokenHash), token.ID.String(), strings.Repeat("a", 10000), strings.ToLower(reset), reset[:len(reset)-1],
	} {
		f.Add(text, text)
	}
	f.Add("%R", "%S")
	f.Fuzz(func(t *testing.T, text, answered string) {
		text, answered = secrets.Replace(text), secrets.Replace(answered)
		for what, link := range map[string]struct {
			secret string
			open   func() error
		}{
			"a reset": {reset, func() error {
				question, err := h.SignIn.Resets().Check(t.Context(), text, answered)
				if question != "" {
					t.Fatalf("%q: the question %q", text, question)
				}
				return err
			}},
			"a verification": {verify, func() error {
				_, err := ownership.Of(h.Store).OpenVerification(t.Context(), text)
				return err
			}},
			"an invitation": {invite, func() error { _, err := h.SignIn.Invitations().Open(t.Context(), text); return err }},
			"an unlocking": {unlock, undone(h, func(ctx context.Context, tx bun.Tx) error {
				_, err := identity.UseLink(ctx, tx, identity.ProofToUnlock, text, now)
				return err
			})},
			"a disowning": {notMe, undone(h, func(ctx context.Context, tx bun.Tx) error {
				_, err := identity.UseLink(ctx, tx, identity.ProofNotMe, text, now)
				return err
			})},
		} {
			err := link.open()
			if err != nil && !errors.Is(err, identity.ErrProof) {
				t.Fatalf("%q as %s: a fault: %v", text, what, err)
			}
			if (err == nil) != (text == link.secret) {
				t.Fatalf("%q is %s: %v", text, what, err)
			}
		}
		if step, err := h.SignIn.SecondSteps().Open(t.Context(), answered); !errors.Is(err, signin.ErrSecondStep) {
			t.Fatalf("%q is the second step %+v, %v", answered, step, err)
		}
		if live := h.IsLive(t, text); live != (text == cookie) {
			t.Fatalf("%q is a session's cookie: %v", text, live)
		}
		browser := identitytest.Laptop
		browser.Secret = text
		known, err := h.KnownDevice(t.Context(), h.Database.Reader(), now, alice, browser)
		if err != nil || (known != nil) != (text == device) {
			t.Fatalf("%q is a known browser's cookie: %v, %v", text, known, err)
		}
	})
}

var errUndo = errors.New("as it was")

// undone runs what uses a link up in a transaction that is not kept.
func undone(h *identitytest.Stack, use func(ctx context.Context, tx bun.Tx) error) func() error {
	return func() error {
		err := h.Database.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
			if err := use(ctx, tx); err != nil {
				return err
			}
			return errUndo
		})
		if errors.Is(err, errUndo) {
			return nil
		}
		return err
	}
}
