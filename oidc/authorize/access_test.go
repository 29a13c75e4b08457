package authorize_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// newcomer registers somebody and signs them in.
func newcomer(t *testing.T, h *oidctest.Stack, username string) *identity.Session {
	t.Helper()
	user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: username})
	if err != nil {
		t.Fatal(err)
	}
	return identitytest.NewSession(t, h.Identity, user)
}

// grantTo makes a grant of that session to a client, with a code.
func grantTo(t *testing.T, h *oidctest.Stack, session *identity.Session, clientID string, scopes ...string) {
	t.Helper()
	a, err := h.Authorize.Read(t.Context(), url.Values{
		"client_id": {clientID}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"}, "scope": {"openid"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authorize.Issue(t.Context(), a, session, authorize.Decision{Scopes: scopes}); err != nil {
		t.Fatal(err)
	}
}

// consentTo makes a person allow a client those scopes.
func consentTo(t *testing.T, h *oidctest.Stack, userID uuid.UUID, clientID, asked string, chosen ...string) {
	t.Helper()
	a, err := h.Authorize.Read(t.Context(), url.Values{
		"client_id": {clientID}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"}, "scope": {asked},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Authorize.GrantConsent(t.Context(), userID, a, chosen, nil); err != nil {
		t.Fatal(err)
	}
}

func webApp(id string, trusted bool) *clients.Client {
	return &clients.Client{
		ID: id, Name: id, AuthMethod: clients.AuthPost, RedirectURIs: []string{"https://app.example.com/"}, IsTrusted: trusted,
	}
}

// What apps may do is what was allowed them and what their grants hold; of the grants only those that stand.
func TestAccesses(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		for id, trusted := range map[string]bool{"asked": false, "unused": false, "ours": true, "gone": true} {
			h.Add(t, webApp(id, trusted))
		}
		alice, other := newcomer(t, h, "alice"), newcomer(t, h, "bob")
		began := h.Clock
		consentTo(t, h, alice.UserID, "asked", "openid email phone", "email")
		consentTo(t, h, alice.UserID, "unused", "openid")
		grantTo(t, h, alice, "gone", "openid")
		if err := h.Identity.Sessions().End(t.Context(), alice.UserID, alice.ID, identity.EndedBySignOut); err != nil {
			t.Fatal(err)
		}
		h.Pass(time.Minute)
		alice = identitytest.NewSession(t, h.Identity, alice.User)
		grantTo(t, h, alice, "ours", "openid", "profile")
		h.Pass(time.Minute)
		grantTo(t, h, alice, "ours", "openid", "roles")
		h.Pass(time.Minute)
		grantTo(t, h, alice, "asked", "openid", "address") // allowed once, and not any more
		grantTo(t, h, other, "gone", "openid")

		list, more, err := h.Authorize.Accesses(t.Context(), alice.UserID)
		if err != nil || more {
			t.Fatal(err)
		}
		for i, want := range []struct {
			id              string
			scopes          []string
			consented       bool
			since, lastUsed time.Duration
			neverUsed       bool
		}{
			{"asked", []string{"openid", "email", "address"}, true, 0, 3 * time.Minute, false},
			{"ours", []string{"openid", "profile", "roles"}, false, time.Minute, 2 * time.Minute, false},
			{"unused", []string{"openid"}, true, 0, 0, true},
		} {
			if i >= len(list) {
				t.Fatalf("%s is missing", want.id)
			}
			got := list[i]
			slices.Sort(got.Scopes)
			slices.Sort(want.scopes)
			if got.Client.ID != want.id || !slices.Equal(got.Scopes, want.scopes) || got.Consented != want.consented ||
				!got.Since.Equal(began.Add(want.since)) || got.LastUsedAt.IsZero() != want.neverUsed ||
				!want.neverUsed && !got.LastUsedAt.Equal(began.Add(want.lastUsed)) {
				t.Errorf("%d: %s %+v, want %+v", i, got.Client.ID, got, want)
			}
		}
		if len(list) != 3 {
			t.Errorf("%d apps, want 3", len(list))
		}
	})
}

// queryCounter counts queries.
type queryCounter struct{ n atomic.Int64 }

func (*queryCounter) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (q *queryCounter) AfterQuery(context.Context, *bun.QueryEvent) { q.n.Add(1) }

// Thousands of grants are one query, and many apps are listed up to a bound, those that were used last.
func TestAccessesOfManyGrants(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		const apps, each = authorize.MaxAccesses + 2, 20
		alice := newcomer(t, h, "alice")
		var grants []oidc.Grant
		for app := range apps {
			client := webApp(fmt.Sprintf("app%03d", app), true)
			h.Add(t, client)
			for n := range each {
				grants = append(grants, oidc.Grant{
					ID: storage.NewID(), UserID: alice.UserID, ClientID: client.ID, SessionID: alice.ID,
					SessionVersion: alice.SessionVersion, Scopes: []string{"openid", []string{"email", "phone"}[n%2]}, AMR: []string{},
					CreatedAt: h.Clock.Add(time.Duration(app*each+n) * time.Second), ExpiresAt: h.Clock.Add(24 * time.Hour),
				})
			}
		}
		if err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&grants).Exec(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var counter queryCounter
		h.Database.Observe(&counter)
		list, more, err := h.Authorize.Accesses(t.Context(), alice.UserID)
		if err != nil || !more || len(list) != authorize.MaxAccesses || counter.n.Load() != 1 {
			t.Fatalf("%d apps by %d queries, more: %t, %v", len(list), counter.n.Load(), more, err)
		}
		for i, access := range list {
			n := apps - 1 - i
			slices.Sort(access.Scopes)
			if access.Client.ID != fmt.Sprintf("app%03d", n) ||
				!slices.Equal(access.Scopes, []string{"email", "openid", "phone"}) ||
				!access.Since.Equal(grants[n*each].CreatedAt) || !access.LastUsedAt.Equal(grants[n*each+each-1].CreatedAt) {
				t.Errorf("%d: %s %+v", i, access.Client.ID, access)
			}
		}
		// One that is not listed can be looked at and removed all the same.
		if access, err := h.Authorize.Access(t.Context(), alice.UserID, "app000"); err != nil || len(access.Scopes) != 3 {
			t.Errorf("the one used longest ago: %+v, %v", access, err)
		}
		if _, err := h.Authorize.Access(t.Context(), uuid.New(), "app000"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("of somebody else: %v", err)
		}
	})
}

// The query knows the same grants that stand as the rule does.
func TestGrantsInUseStand(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, webApp("app", true))
		for name, spoil := range map[string]func(session *identity.Session) error{
			"stands": func(*identity.Session) error { return nil },
			"session ended": func(s *identity.Session) error {
				return h.Identity.Sessions().End(t.Context(), s.UserID, s.ID, identity.EndedBySignOut)
			},
			"signed out everywhere": func(s *identity.Session) error {
				_, err := h.Identity.Sessions().SignOutEverywhere(t.Context(), s.UserID, identity.EndedByGlobal)
				return err
			},
			"disabled": func(s *identity.Session) error { return h.Identity.Users().SetActive(t.Context(), s.UserID, false) },
			"session expired": func(*identity.Session) error {
				h.Pass(2 * time.Hour)
				return nil
			},
		} {
			session := newcomer(t, h, strings.ReplaceAll(name, " ", "-"))
			grantTo(t, h, session, "app", "openid")
			if err := spoil(session); err != nil {
				t.Fatal(err)
			}
			var row struct {
				oidc.Grant `bun:",extend"`
				oidc.Standing
			}
			query := h.Database.Reader().NewSelect().Model(&row).ColumnExpr(`"grant".*`).
				Where(`"grant".user_id = ?`, session.UserID)
			if err := h.JoinStanding(query).Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
			inUse, err := h.GrantsInUse(t.Context(), session.UserID, "app", 10)
			if err != nil {
				t.Fatal(err)
			}
			stands := row.Stands(row.Standing, h.Clock)
			if stands != (name == "stands") || stands != (len(inUse) == 1) {
				t.Errorf("%s: the rule says %t, the query lists %d", name, stands, len(inUse))
			}
			if stands && (inUse[0].Username != session.User.Username || !inUse[0].LastUsedAt.Equal(inUse[0].CreatedAt)) {
				t.Errorf("%s: %+v", name, inUse[0])
			}
		}
	})
}

// Removing an app's access ends all that it has of this person, of no other person and no other app, once.
func TestRemovedAccess(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, webApp("app", false))
		h.Add(t, webApp("other", true))
		alice, bob := newcomer(t, h, "alice"), newcomer(t, h, "bob")
		for _, session := range []*identity.Session{alice, bob} {
			consentTo(t, h, session.UserID, "app", "openid email", "email")
			grantTo(t, h, session, "app", "openid", "email")
			grantTo(t, h, session, "app", "openid")
			grantTo(t, h, session, "other", "openid")
		}
		by, err := h.Identity.Reauthenticate(t.Context(), alice, identity.Device{})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Authorize.RemoveAccess(t.Context(), by, "app"); err != nil {
			t.Fatal(err)
		}
		count := func(session *identity.Session, clientID string) int {
			grants, err := h.GrantsInUse(t.Context(), session.UserID, clientID, 0)
			if err != nil {
				t.Fatal(err)
			}
			return len(grants)
		}
		if consent, err := h.Authorize.Consent(t.Context(), alice.UserID, "app"); consent != nil || err != nil {
			t.Errorf("the consent is still %+v, %v", consent, err)
		}
		if consent, err := h.Authorize.Consent(t.Context(), bob.UserID, "app"); consent == nil || err != nil {
			t.Errorf("bob's consent: %+v, %v", consent, err)
		}
		if a, b, c := count(alice, "app"), count(alice, "other"), count(bob, "app"); a != 0 || b != 1 || c != 2 {
			t.Errorf("%d, %d and %d grants stand, want 0, 1 and 2", a, b, c)
		}
		for entity, want := range map[string]int{"consent": 1, "grant": 2} {
			action := map[string]string{"consent": "withdrawn", "grant": "ended"}[entity]
			lines, err := audit.Entries(
				t.Context(), h.Database, audit.Filter{UserID: alice.UserID, Entity: entity, Action: action},
			)
			if err != nil || len(lines) != want {
				t.Errorf("%d lines of the audit trail say that a %s was %s, want %d; %v", len(lines), entity, action, want, err)
			}
		}
		for _, clientID := range []string{"app", "nobody"} {
			if err := h.Authorize.RemoveAccess(t.Context(), by, clientID); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s, which may do nothing: %v", clientID, err)
			}
		}
		if err := h.Authorize.RevokeAccess(t.Context(), bob.UserID, "other"); err != nil || count(bob, "other") != 0 {
			t.Errorf("the operator revokes one without a consent: %v", err)
		}
		// A session that has ended removes nothing.
		if err := h.Identity.Sessions().End(t.Context(), alice.UserID, alice.ID, identity.EndedBySignOut); err != nil {
			t.Fatal(err)
		}
		consentTo(t, h, alice.UserID, "app", "openid")
		if err := h.Authorize.RemoveAccess(t.Context(), by, "app"); !errors.Is(err, identity.ErrSessionEnded) {
			t.Errorf("by a session that has ended: %v", err)
		}
	})
}

// A grant that is under way while the consent is withdrawn is not made, or ended with the others, whichever is first.
func TestAWithdrawnConsentGrantsNothing(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, webApp("app", false))
		alice := newcomer(t, h, "alice")
		a, err := h.Authorize.Read(t.Context(), url.Values{
			"client_id": {"app"}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"}, "scope": {"openid"},
		})
		if err != nil {
			t.Fatal(err)
		}
		decide := func() authorize.Decision {
			t.Helper()
			h.Pass(time.Minute)
			consentTo(t, h, alice.UserID, "app", "openid email", "email")
			consent, err := h.Authorize.Consent(t.Context(), alice.UserID, "app")
			if err != nil {
				t.Fatal(err)
			}
			decision := authorize.Next(a, authorize.Visitor{Session: alice, Consent: consent}, h.Clock)
			if decision.Step != authorize.Issue {
				t.Fatalf("the next step is %d", decision.Step)
			}
			return decision
		}
		standing := func() int {
			t.Helper()
			grants, err := h.GrantsInUse(t.Context(), alice.UserID, "app", 0)
			if err != nil {
				t.Fatal(err)
			}
			return len(grants)
		}
		revoke := func() error { return h.Authorize.RevokeAccess(t.Context(), alice.UserID, "app") }

		if _, err := h.Authorize.Issue(t.Context(), a, alice, decide()); err != nil || standing() != 1 {
			t.Fatalf("while it stands: %v, and %d grants", err, standing())
		}
		late := decide()
		if err := revoke(); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authorize.Issue(t.Context(), a, alice, late); !errors.Is(err, authorize.ErrOvertaken) {
			t.Errorf("after it was withdrawn: %v", err)
		}
		decide() // another consent than the one that was read, even if it says the same
		if _, err := h.Authorize.Issue(t.Context(), a, alice, late); !errors.Is(err, authorize.ErrOvertaken) {
			t.Errorf("by a consent from before: %v", err)
		}
		for range 20 {
			decision, issued := decide(), make(chan error)
			go func() {
				_, err := h.Authorize.Issue(t.Context(), a, alice, decision)
				issued <- err
			}()
			if err := revoke(); err != nil {
				t.Error(err)
			}
			if err := <-issued; err != nil && !errors.Is(err, authorize.ErrOvertaken) {
				t.Error(err)
			}
			if n := standing(); n != 0 {
				t.Fatalf("%d grants stand, and nothing allows them", n)
			}
		}
	})
}

// What an app gets in the front is good without another question: of a session that has just ended it gets nothing.
func TestNothingInTheFrontOfASessionThatEnded(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.AllResponseTypes = true
		h.Add(t, &clients.Client{
			ID: "front", Name: "Front", RedirectURIs: []string{"https://app.example/cb"}, IsTrusted: true,
			ResponseTypes: []string{"id_token", "code"},
		})
		alice := newcomer(t, h, "alice")
		a, err := h.Authorize.Read(t.Context(), url.Values{
			"client_id": {"front"}, "redirect_uri": {"https://app.example/cb"}, "response_type": {"id_token"},
			"scope": {"openid"}, "nonce": {"n"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authorize.Issue(t.Context(), a, alice, authorize.Decision{Scopes: a.Scopes}); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.Sessions().End(t.Context(), alice.UserID, alice.ID, identity.EndedBySignOut); err != nil {
			t.Fatal(err)
		}
		_, err = h.Authorize.Issue(t.Context(), a, alice, authorize.Decision{Scopes: a.Scopes})
		if !errors.Is(err, authorize.ErrOvertaken) {
			t.Errorf("an ID token of a session that has ended: %v", err)
		}
	})
}

// Of several tabs in which a person answers at once, none takes back what another has allowed.
func TestTabsThatAreAnsweredAtOnce(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, webApp("app", false))
		alice := newcomer(t, h, "alice")
		scopes := []string{"profile", "email", "phone", "address", "offline_access"}
		var tabs sync.WaitGroup
		for _, scope := range scopes {
			a, err := h.Authorize.Read(t.Context(), url.Values{
				"client_id": {"app"}, "redirect_uri": {"https://app.example.com/"}, "response_type": {"code"},
				"scope": {"openid " + scope},
			})
			if err != nil {
				t.Fatal(err)
			}
			tabs.Go(func() {
				if err := h.Authorize.GrantConsent(t.Context(), alice.UserID, a, []string{scope}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		tabs.Wait()
		consent, err := h.Authorize.Consent(t.Context(), alice.UserID, "app")
		if err != nil {
			t.Fatal(err)
		}
		for _, scope := range append(scopes, "openid") {
			if !slices.Contains(consent.GrantedScopes, scope) {
				t.Errorf("%s was allowed, and is lost: %v", scope, consent.GrantedScopes)
			}
		}
	})
}
