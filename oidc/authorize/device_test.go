package authorize_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/usercode"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// television is an app of devices without a browser: a public client.
func television(id string) *clients.Client {
	return &clients.Client{
		ID: id, Name: "Television", AuthMethod: clients.AuthNone,
		GrantTypes: []string{oidc.GrantDeviceCode, oidc.GrantRefreshToken},
	}
}

func fromDevice(path, clientID string, form url.Values) oidc.Request {
	sent := url.Values{"client_id": {clientID}}
	maps.Copy(sent, form)
	return oidc.Request{Method: http.MethodPost, Path: path, Header: http.Header{}, Form: sent}
}

// begin asks for what a device wants.
func begin(t *testing.T, h *oidctest.Stack, clientID, scope string) *authorize.DeviceAuthorization {
	t.Helper()
	answer, _, err := h.Authorize.Devices().Begin(
		t.Context(), fromDevice(oidc.PathDeviceRequest, clientID, url.Values{"scope": {scope}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// poll asks once whether a device code is good by now, and returns the tokens or the code of the error.
func poll(t *testing.T, h *oidctest.Stack, clientID, deviceCode string) (*grants.Tokens, string) {
	t.Helper()
	tokens, _, err := h.Grants.Token(t.Context(), fromDevice(oidc.PathToken, clientID, url.Values{
		"grant_type": {oidc.GrantDeviceCode}, "device_code": {deviceCode},
	}))
	var refused *oidc.Error
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("a fault: %v", err)
	}
	if refused != nil {
		return nil, refused.Code
	}
	return tokens, ""
}

// open finds the device that waits with a code.
func open(t *testing.T, h *oidctest.Stack, typed string, by uuid.UUID) (*authorize.Device, error) {
	t.Helper()
	code, ok := usercode.Parse(typed)
	if !ok {
		t.Fatalf("%q is no user code", typed)
	}
	return h.Authorize.Devices().Open(t.Context(), code, by)
}

// approve says yes to a device, to all that it asks for.
func approve(t *testing.T, h *oidctest.Stack, session *identity.Session, userCode string) error {
	t.Helper()
	device, err := open(t, h, userCode, session.UserID)
	if err != nil {
		return err
	}
	device.Request.Confirm(session)
	if err := h.Authorize.GrantConsent(
		t.Context(), session.UserID, device.Request, device.Request.Scopes, nil,
	); err != nil {
		t.Fatal(err)
	}
	consent, err := h.Authorize.Consent(t.Context(), session.UserID, device.Request.Client.ID)
	if err != nil {
		t.Fatal(err)
	}
	decision := authorize.Next(device.Request, authorize.Visitor{Session: session, Consent: consent}, h.Clock)
	if decision.Step != authorize.Issue {
		t.Fatalf("the next step is %d", decision.Step)
	}
	by, err := h.Identity.Reauthenticate(t.Context(), session, identity.Device{})
	if err != nil {
		t.Fatal(err)
	}
	return h.Authorize.Devices().Approve(t.Context(), by, device, decision)
}

// A device gets its tokens and a session of its own, which the end of the browser's leaves alone, and the end of
// everything ends.
func TestADeviceIsSignedIn(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice := newcomer(t, h, "alice")
		asked := begin(t, h, "tv", "openid profile offline_access")
		if asked.ExpiresIn != 600 || asked.Interval != 5 || asked.VerificationURI != oidctest.TestIssuer+"/device" ||
			asked.VerificationURIComplete != asked.VerificationURI+"?user_code="+asked.UserCode {
			t.Errorf("told %+v", asked)
		}
		if _, code := poll(t, h, "tv", asked.DeviceCode); code != "authorization_pending" {
			t.Errorf("before it is approved: %q", code)
		}
		if err := approve(t, h, alice, strings.ToLower(strings.ReplaceAll(asked.UserCode, "-", " "))); err != nil {
			t.Fatal(err)
		}
		if err := approve(t, h, alice, asked.UserCode); !errors.Is(err, authorize.ErrUserCode) {
			t.Errorf("approved again: %v", err)
		}
		tokens, code := poll(t, h, "tv", asked.DeviceCode)
		if code != "" || tokens.IDToken == "" || tokens.RefreshToken == "" ||
			tokens.Scope != "openid profile offline_access" {
			t.Fatalf("redeemed: %q %+v", code, tokens)
		}
		if err := h.Identity.Sessions().End(t.Context(), alice.UserID, alice.ID, identity.EndedBySignOut); err != nil {
			t.Fatal(err)
		}
		h.Pass(10 * 24 * time.Hour)
		refresh := func(token string) (*grants.Tokens, error) {
			tokens, _, err := h.Grants.Token(t.Context(), fromDevice(oidc.PathToken, "tv", url.Values{
				"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {token},
			}))
			return tokens, err
		}
		if tokens, err := refresh(tokens.RefreshToken); err != nil || tokens.RefreshToken == "" {
			t.Fatalf("refreshed: %v", err)
		}
		h.Pass(25 * 24 * time.Hour)
		sessions, err := h.Identity.Sessions().List(t.Context(), alice.UserID)
		if err != nil || len(sessions) != 1 || sessions[0].DeviceLabel != "Device with Television" ||
			sessions[0].DeviceClientID != "tv" || !sessions[0].LastSeenAt.Equal(h.Clock.Add(-25*24*time.Hour)) {
			t.Fatalf("sessions %+v, %v", sessions, err)
		}
		if apps, err := h.Clients.Participations(t.Context(), []uuid.UUID{sessions[0].ID}); err != nil || len(apps) != 1 {
			t.Errorf("apps of the device: %v, %v", apps, err)
		}
		_, err = h.Identity.Sessions().SignOutEverywhere(t.Context(), alice.UserID, identity.EndedByGlobal)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := refresh(tokens.RefreshToken); err == nil {
			t.Error("refreshed after everything was ended")
		}
	})
}

// Without a refresh token nothing outlives the tokens, and the device is not listed any more.
func TestADeviceWithoutARefreshToken(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice := newcomer(t, h, "alice")
		asked := begin(t, h, "tv", "openid")
		if err := approve(t, h, alice, asked.UserCode); err != nil {
			t.Fatal(err)
		}
		if tokens, code := poll(t, h, "tv", asked.DeviceCode); code != "" || tokens.RefreshToken != "" {
			t.Fatalf("redeemed: %q %+v", code, tokens)
		}
		h.Pass(h.Lifetimes.IDToken)
		sessions, err := h.Identity.Sessions().List(t.Context(), alice.UserID)
		if err != nil || slices.ContainsFunc(sessions, func(s identity.Session) bool { return s.DeviceClientID != "" }) {
			t.Errorf("sessions %+v, %v", sessions, err)
		}
	})
}

// What a device hears that asks whether its person has decided.
func TestAnswersToDeviceCodes(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		h.Add(t, television("other"))
		alice := newcomer(t, h, "alice")
		for name, c := range map[string]struct {
			before func(asked *authorize.DeviceAuthorization)
			client string
			want   []string // at once, one after the other
		}{
			"too early": {nil, "tv", []string{"authorization_pending", "slow_down", "slow_down"}},
			"another client's": {func(asked *authorize.DeviceAuthorization) {
				_ = approve(t, h, alice, asked.UserCode)
			}, "other", []string{"invalid_grant", "invalid_grant"}},
			"denied": {func(asked *authorize.DeviceAuthorization) {
				device, err := open(t, h, asked.UserCode, alice.UserID)
				if err == nil {
					err = h.Authorize.Devices().Deny(t.Context(), alice, device)
				}
				if err != nil {
					t.Error(err)
				}
			}, "tv", []string{"access_denied", "access_denied"}},
			"expired": {func(*authorize.DeviceAuthorization) { h.Pass(10 * time.Minute) }, "tv", []string{"expired_token"}},
			"approved at the last moment": {func(asked *authorize.DeviceAuthorization) {
				h.Pass(10*time.Minute - time.Second)
				if err := approve(t, h, alice, asked.UserCode); err != nil {
					t.Error(err)
				}
				h.Pass(30 * time.Second)
			}, "tv", []string{"", "invalid_grant"}},
		} {
			alice.AuthTime = h.Clock
			asked := begin(t, h, "tv", "openid")
			if c.before != nil {
				c.before(asked)
			}
			for i, want := range c.want {
				if _, code := poll(t, h, c.client, asked.DeviceCode); code != want {
					t.Errorf("%s, time %d: %q, want %q", name, i, code, want)
				}
			}
		}
		if _, code := poll(t, h, "tv", "unknown"); code != "invalid_grant" {
			t.Errorf("an unknown code: %q", code)
		}
	})
}

// Who asks too early waits for five seconds more from then on.
func TestThePaceOfQuestions(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		asked := begin(t, h, "tv", "openid")
		for i, c := range []struct {
			wait time.Duration
			want string
		}{
			{0, "authorization_pending"}, {5 * time.Second, "authorization_pending"}, {4 * time.Second, "slow_down"},
			{5 * time.Second, "slow_down"}, {15 * time.Second, "authorization_pending"}, {10 * time.Second, "slow_down"},
			{20 * time.Second, "authorization_pending"},
		} {
			h.Pass(c.wait)
			if _, code := poll(t, h, "tv", asked.DeviceCode); code != c.want {
				t.Errorf("question %d: %q, want %q", i, code, c.want)
			}
		}
		for range 50 {
			if _, code := poll(t, h, "tv", asked.DeviceCode); code != "slow_down" {
				t.Errorf("at once: %q", code)
			}
		}
		h.Pass(time.Minute)
		if _, code := poll(t, h, "tv", asked.DeviceCode); code != "authorization_pending" {
			t.Errorf("a minute after many that came too early: %q", code)
		}
	})
}

// comeFrom makes a session one of somebody who came from a provider upstream.
func comeFrom(t *testing.T, h *oidctest.Stack, session *identity.Session) *identity.ExternalAccount {
	t.Helper()
	account := &identity.ExternalAccount{
		ID: storage.NewID(), UserID: session.UserID, Provider: "acme", Issuer: "https://acme.example",
		Subject: session.UserID.String(), Profile: []byte("{}"), LastUsedAt: h.Clock, CreatedAt: h.Clock, ModifiedAt: h.Clock,
	}
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(account).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model(session).Set("external_account_id = ?", account.ID).WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// What happened to who has approved counts when the device comes.
func TestApprovalsThatDoNotStand(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		sessions := h.Identity.Sessions()
		for name, c := range map[string]struct {
			happens func(s *identity.Session) error
			want    string
		}{
			"nothing": {func(*identity.Session) error { return nil }, ""},
			"signed out of that browser": {func(s *identity.Session) error {
				return sessions.End(t.Context(), s.UserID, s.ID, identity.EndedBySignOut)
			}, ""},
			"that browser was ended from another": {func(s *identity.Session) error {
				return sessions.EndDevice(t.Context(), s.UserID, s.ID, identity.Device{})
			}, "access_denied"},
			"signed out everywhere": {func(s *identity.Session) error {
				_, err := sessions.SignOutEverywhere(t.Context(), s.UserID, identity.EndedByGlobal)
				return err
			}, "access_denied"},
			"all other devices were signed out": {func(s *identity.Session) error {
				return sessions.EndOtherDevices(t.Context(), s.UserID, s.ID, identity.Device{})
			}, "access_denied"},
			"the operator ended what was left": {func(s *identity.Session) error {
				err := sessions.End(t.Context(), s.UserID, s.ID, identity.EndedBySignOut)
				_, other := sessions.EndAllByOperator(t.Context(), s.UserID)
				return errors.Join(err, other)
			}, "access_denied"},
			"signed out, also where they came from": {func(s *identity.Session) error {
				account := comeFrom(t, h, s)
				err := sessions.End(t.Context(), s.UserID, s.ID, identity.EndedBySignOut)
				mark := storage.NewOneTimeMark("logout", s.ID.String(), h.Clock.Add(time.Hour))
				n, other := h.Identity.ExternalAccounts().EndUpstream(
					t.Context(), mark, account.Provider, account.Issuer, account.Subject, "")
				if n != 0 {
					t.Errorf("%d people had a session", n)
				}
				return errors.Join(err, other)
			}, "access_denied"},
			"the account they came from was unlinked": {func(s *identity.Session) error {
				account := comeFrom(t, h, s)
				return h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					return h.Identity.ExternalAccounts().Detach(ctx, tx, h.Clock, s.UserID, account.ID, s.ID)
				})
			}, "access_denied"},
			"disabled": {func(s *identity.Session) error {
				return h.Identity.Users().SetActive(t.Context(), s.UserID, false)
			}, "access_denied"},
			"locked": {func(s *identity.Session) error {
				_, err := h.Database.Draft().NewUpdate().Model((*identity.User)(nil)).
					Set("locked_until = ?", h.Clock.Add(time.Minute)).Where("id = ?", s.UserID).Exec(t.Context())
				return err
			}, ""},
			"the consent was withdrawn": {func(s *identity.Session) error {
				return h.Authorize.RevokeAccess(t.Context(), s.UserID, "tv")
			}, "access_denied"},
		} {
			session := newcomer(t, h, strings.ReplaceAll(name, " ", "."))
			asked := begin(t, h, "tv", "openid")
			if err := approve(t, h, session, asked.UserCode); err != nil {
				t.Fatal(name, err)
			}
			if err := c.happens(session); err != nil {
				t.Fatal(name, err)
			}
			if _, code := poll(t, h, "tv", asked.DeviceCode); code != c.want {
				t.Errorf("%s: %q, want %q", name, code, c.want)
			}
		}
	})
}

// The app is told the class that it has asked for, which its person may surpass; the operator's rule of two factors
// and the device's session know the true one.
func TestTheClassOfADevice(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		h.TwoFactors = identity.TwoFactorRule{Everybody: true}
		h.Identity.TwoFactors = h.TwoFactors
		alice := newcomer(t, h, "alice")
		alice.ACR, alice.AMR = identity.ACRMultiFactor, []string{"pwd", "otp", "mfa"}
		if _, err := h.Database.Draft().NewUpdate().Model(alice).Column("acr", "amr").WherePK().
			Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		asked, _, err := h.Authorize.Devices().Begin(t.Context(), fromDevice(oidc.PathDeviceRequest, "tv", url.Values{
			"scope": {"openid"}, "acr_values": {identity.ACRPassword},
		}))
		if err != nil {
			t.Fatal(err)
		}
		if err := approve(t, h, alice, asked.UserCode); err != nil {
			t.Fatal(err)
		}
		if _, code := poll(t, h, "tv", asked.DeviceCode); code != "" {
			t.Fatalf("redeemed: %q", code)
		}
		var session identity.Session
		var grant oidc.Grant
		reader := h.Database.Reader()
		if err := errors.Join(
			reader.NewSelect().Model(&session).Where("device_client_id = 'tv'").Scan(t.Context()),
			reader.NewSelect().Model(&grant).Scan(t.Context()),
		); err != nil {
			t.Fatal(err)
		}
		if session.ACR != identity.ACRMultiFactor || grant.ACR != identity.ACRPassword {
			t.Errorf("the session is of class %q, the grant of %q", session.ACR, grant.ACR)
		}
	})
}

// Of many that come with one device code at once one gets tokens, and keeps them; who comes later ends them.
func TestADeviceCodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice := newcomer(t, h, "alice")
		asked := begin(t, h, "tv", "openid offline_access")
		if err := approve(t, h, alice, asked.UserCode); err != nil {
			t.Fatal(err)
		}
		told := map[string]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, code := poll(t, h, "tv", asked.DeviceCode)
				mu.Lock()
				defer mu.Unlock()
				told[code]++
			})
		}
		all.Wait()
		if told[""] != 1 || told["invalid_grant"] != 19 {
			t.Errorf("told %v", told)
		}
		inUse := func() int {
			list, err := h.GrantsInUse(t.Context(), alice.UserID, "tv", 0)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if n := inUse(); n != 1 {
			t.Errorf("%d grants", n)
		}
		h.Pass(5 * time.Second)
		if _, code := poll(t, h, "tv", asked.DeviceCode); code != "invalid_grant" || inUse() != 0 {
			t.Errorf("a copy that came late: %q, %d grants stand", code, inUse())
		}
		if sessions, err := h.Identity.Sessions().List(t.Context(), alice.UserID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
	})
}

// Two people, or two tabs, answer at once: one of them counts.
func TestADeviceIsDecidedAboutOnce(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice, bob := newcomer(t, h, "alice"), newcomer(t, h, "bob")
		asked := begin(t, h, "tv", "openid")
		device, err := open(t, h, asked.UserCode, bob.UserID)
		if err != nil {
			t.Fatal(err)
		}
		counted := map[bool]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		count := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil && !errors.Is(err, authorize.ErrUserCode) && !errors.Is(err, authorize.ErrOvertaken) {
				t.Error(err)
			}
			counted[err == nil]++
		}
		for range 5 {
			all.Go(func() { count(approve(t, h, alice, asked.UserCode)) })
			all.Go(func() { count(h.Authorize.Devices().Deny(t.Context(), bob, device)) })
		}
		all.Wait()
		if counted[true] != 1 {
			t.Errorf("%d answers counted", counted[true])
		}
	})
}

// What is wrong with what a device asks for.
func TestDeviceRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		secret := h.Add(t, &clients.Client{
			ID: "box", Name: "Box", AuthMethod: clients.AuthPost, GrantTypes: []string{oidc.GrantDeviceCode},
		})
		h.Add(t, webApp("web", false))
		for name, c := range map[string]struct {
			client string
			form   url.Values
			want   string
			status int
		}{
			"an unknown client":     {"nobody", nil, "invalid_client", 401},
			"no secret":             {"box", nil, "invalid_client", 401},
			"not registered for it": {"web", url.Values{"client_secret": {"x"}}, "invalid_client", 401},
			"a doubled scope":       {"tv", url.Values{"scope": {"openid", "email"}}, "invalid_request", 400},
			"none of its scopes":    {"tv", url.Values{"scope": {"admin"}}, "invalid_scope", 400},
			"bad claims":            {"tv", url.Values{"claims": {"["}}, "invalid_request", 400},
			"more than can be kept": {"tv", url.Values{"claims": {strings.Repeat("x", 17<<10)}}, "invalid_request", 413},
			"two clients":           {"tv", url.Values{"client_id": {"tv", "box"}}, "invalid_request", 400},
			"a secret, of a public": {"tv", url.Values{"client_secret": {secret}}, "invalid_client", 401},
		} {
			_, _, err := h.Authorize.Devices().Begin(t.Context(), fromDevice(oidc.PathDeviceRequest, c.client, c.form))
			var refused *oidc.Error
			if !errors.As(err, &refused) || refused.Code != c.want || refused.Status != c.status {
				t.Errorf("%s: %v, want %d %s", name, err, c.status, c.want)
			}
		}
		h.Add(t, &clients.Client{
			ID: "spa", Name: "SPA", AuthMethod: clients.AuthNone, RedirectURIs: []string{"https://spa.example/"},
		})
		_, _, err := h.Authorize.Devices().Begin(t.Context(), fromDevice(oidc.PathDeviceRequest, "spa", nil))
		var refused *oidc.Error
		if !errors.As(err, &refused) || refused.Code != "unauthorized_client" {
			t.Errorf("not registered for it: %v", err)
		}
		answer, _, err := h.Authorize.Devices().Begin(t.Context(), fromDevice(oidc.PathDeviceRequest, "box", url.Values{
			"client_secret": {secret}, "scope": {"openid"}, "unknown": {"u"},
		}))
		if err != nil {
			t.Fatal(err)
		}
		var kept grants.DeviceRequest
		if err := h.Database.Reader().NewSelect().Model(&kept).Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		code, _ := usercode.Parse(answer.UserCode)
		if len(kept.Form) != 1 || bytes.Contains(kept.UserCode, []byte(code)) || len(kept.UserCode) != 32 {
			t.Errorf("kept %+v", kept)
		}
		h.Pass(11 * time.Minute)
		if _, err := open(t, h, answer.UserCode, uuid.Nil); !errors.Is(err, authorize.ErrUserCode) {
			t.Errorf("opened after its time: %v", err)
		}
		h.Pass(time.Hour)
		if deleted, err := h.Expire(t.Context()); err != nil || deleted["device_requests"] != 1 {
			t.Errorf("deleted %v, %v", deleted, err)
		}
	})
}

// Codes cannot be guessed for long, neither by one account from many addresses nor by many from one address; and what
// an app that anybody can use may keep is bounded.
func TestGuessingUserCodes(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice := newcomer(t, h, "alice")
		asked := begin(t, h, "tv", "openid")
		right, _ := usercode.Parse(asked.UserCode)
		wrong := "BBBBBBBB"
		if right == wrong {
			wrong = "CCCCCCCC"
		}
		from := func(ip, code string, by uuid.UUID) error {
			_, err := h.Authorize.Devices().Open(audit.As(t.Context(), audit.Actor{IP: ip}), code, by)
			return err
		}
		for i := range 20 {
			for range 3 { // right ones do not count
				if err := from("192.0.2.7", right, alice.UserID); err != nil {
					t.Fatal(err)
				}
			}
			if err := from("192.0.2."+string(rune('0'+i%10)), wrong, alice.UserID); !errors.Is(err, authorize.ErrUserCode) {
				t.Fatal(i, err)
			}
		}
		if err := from("203.0.113.1", right, alice.UserID); !errors.Is(err, identity.ErrTooManyAttempts) {
			t.Errorf("the right one after many wrong ones of the account: %v", err)
		}
		for i := range 100 {
			if err := from("198.51.100.1", wrong, uuid.Nil); !errors.Is(err, authorize.ErrUserCode) {
				t.Fatal(i, err)
			}
		}
		if err := from("198.51.100.1", right, uuid.Nil); !errors.Is(err, identity.ErrTooManyAttempts) {
			t.Errorf("the right one after many wrong ones of the address: %v", err)
		}
		if err := from("198.51.100.1", right, newcomer(t, h, "bob").UserID); err != nil {
			t.Errorf("the right one of somebody who is signed in at that address: %v", err)
		}
		h.Limits = &cache.Limits{Cache: h.Cache, Rates: cache.Rates{"device_authorization.public": {N: 2, Per: time.Hour}}}
		for i := range 3 {
			_, _, err := h.Authorize.Devices().Begin(t.Context(), fromDevice(oidc.PathDeviceRequest, "tv", nil))
			var limited *cache.Limited
			if errors.As(err, &limited) != (i == 2) {
				t.Errorf("request %d: %v", i, err)
			}
		}
	})
}

// What the page was shown for is nobody else's, and cannot be made up.
func TestWhatADevicePageHolds(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		h.Add(t, television("tv"))
		alice, bob, devices := newcomer(t, h, "alice"), newcomer(t, h, "bob"), h.Authorize.Devices()
		asked := begin(t, h, "tv", "openid")
		device, err := open(t, h, asked.UserCode, alice.UserID)
		if err != nil {
			t.Fatal(err)
		}
		sealed := devices.SealPage(device, alice)
		found, code, err := devices.Answered(t.Context(), sealed, alice)
		if err != nil || found == nil || code != asked.UserCode {
			t.Errorf("who was asked: %v %q %v", found, code, err)
		}
		for name, other := range map[string]*identity.Session{"another person": bob, "nobody": nil} {
			found, code, err := devices.Answered(t.Context(), sealed, other)
			if err != nil || found != nil || code != asked.UserCode {
				t.Errorf("%s: %v %q %v", name, found, code, err)
			}
		}
		for _, bad := range []string{"", "x", sealed + "A", sealed[1:], asked.UserCode} {
			if _, _, err := devices.Answered(t.Context(), bad, alice); !errors.Is(err, authorize.ErrInteraction) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

// Whatever is typed: what is taken for a code is one of eight letters, and is the same however it is written.
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{
		"", "WDJB-MJHT", "wdjbmjht", " w d j b - m j h t ", "WDJB–MJHT", "WDJB\u00a0MJHT", "WDJB-MJHA", "WDJBMJH", "ſdjb-mjht",
		"WDJB-MJHT\x00", "\xff", strings.Repeat("-", 200) + "WDJBMJHT",
	} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := usercode.Parse(typed)
		if !ok {
			return
		}
		if len(code) != 8 || strings.Trim(code, "BCDFGHJKLMNPQRSTVWXZ") != "" {
			t.Fatalf("%q is taken for %q", typed, code)
		}
		for _, again := range []string{code, strings.ToLower(code), usercode.Shown(code), " " + typed + "-"} {
			if other, ok := usercode.Parse(again); len(again) <= 100 && (!ok || other != code) {
				t.Fatalf("%q is %q, and %q is %q", typed, code, again, other)
			}
		}
	})
}
