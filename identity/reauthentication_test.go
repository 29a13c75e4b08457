package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
)

// A request whose session is ended while it is under way changes nothing any more, whichever way the session ended.
func TestProofOfAnEndedSession(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		session := func() *identity.Session { return identitytest.NewSession(t, h.Store, alice) }
		number, _ := h.AddPhone(t, alice, "+4915112345678")
		emails, err := h.Emails().List(t.Context(), alice.ID)
		if err != nil {
			t.Fatal(err)
		}
		link := identity.External{Provider: "acme", Issuer: "https://acme.example", Subject: "1"}
		for name, end := range map[string]func(by *identity.Session) error{
			"everywhere": func(*identity.Session) error {
				_, err := h.Sessions().SignOutEverywhere(t.Context(), alice.ID, identity.EndedByGlobal)
				return err
			},
			"by itself": func(by *identity.Session) error {
				return h.Sessions().End(t.Context(), alice.ID, by.ID, identity.EndedBySignOut)
			},
			"with the account": func(*identity.Session) error {
				return errors.Join(
					h.Users().SetActive(t.Context(), alice.ID, false), h.Users().SetActive(t.Context(), alice.ID, true),
				)
			},
		} {
			by := h.Prove(t, session())
			if err := end(by.Proven()); err != nil {
				t.Fatal(err)
			}
			before := h.AuditTrailLength(t)
			for what, do := range map[string]func() error{
				"adds an address":      func() error { _, err := h.Emails().Add(t.Context(), by, "thief@evil.example"); return err },
				"makes one primary":    func() error { return h.Emails().MakePrimary(t.Context(), by, emails[0].ID) },
				"removes an address":   func() error { return h.Emails().Remove(t.Context(), by, emails[0].ID) },
				"adds a number":        func() error { _, err := h.Phones().Add(t.Context(), by, "+4915112345679"); return err },
				"has a code sent":      func() error { return h.Phones().Resend(t.Context(), by, number.ID) },
				"verifies a number":    func() error { _, err := h.Phones().Verify(t.Context(), by, number.ID, "000000"); return err },
				"makes number primary": func() error { return h.Phones().MakePrimary(t.Context(), by, number.ID) },
				"removes a number":     func() error { return h.Phones().Remove(t.Context(), by, number.ID) },
				"links an account":     func() error { return h.ExternalAccounts().Link(t.Context(), by, link) },
				"unlinks an account":   func() error { return h.ExternalAccounts().Unlink(t.Context(), by, uuid.New(), nil) },
				"asks for erasure":     func() error { _, err := h.Transfer.RequestErasure(t.Context(), by); return err },
			} {
				if err := do(); !errors.Is(err, identity.ErrSessionEnded) {
					t.Errorf("ended %s, it %s: %v", name, what, err)
				}
			}
			if now := h.AuditTrailLength(t); now != before {
				t.Errorf("ended %s, it changed %d things", name, now-before)
			}
		}
	})
}

// A session gets new evidence and a new secret only as it was: not after its person has signed in again meanwhile, and
// not under a version of the account that is over.
func TestRenewalOfASessionThatHasChanged(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		renew := func(session *identity.Session) error {
			return h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				return identity.RenewSession(ctx, tx, session, identity.Evidence{ACR: session.ACR}, "another")
			})
		}
		session := identitytest.NewSession(t, h.Store, alice)
		earlier := *session
		earlier.AuthTime = session.AuthTime.Add(-time.Minute)
		if err := renew(&earlier); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("signed in again meanwhile: %v", err)
		}
		if err := renew(session); err != nil {
			t.Errorf("as it is: %v", err)
		}
		h.Exec(t, "UPDATE users SET session_version = session_version + 1 WHERE id = ?", alice.ID)
		if err := renew(session); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("of an earlier version: %v", err)
		}
	})
}
