package keys_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// kidOf returns the id of the key that signed a JWT.
func kidOf(t testing.TB, token string) string {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, keys.SigningAlgs)
	if err != nil {
		t.Fatal(err)
	}
	return signed.Signatures[0].Protected.KeyID
}

func sign(t testing.TB, keys *keys.Keys, alg jose.SignatureAlgorithm) string {
	t.Helper()
	token, err := keys.Sign(alg, "JWT", map[string]string{"sub": "alice"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The key of one algorithm is replaced, and the others sign on.
func TestRotationOfOneAlgorithm(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	before := map[jose.SignatureAlgorithm]string{}
	for _, alg := range keys.SigningAlgs {
		before[alg] = kidOf(t, sign(t, h.Keys, alg))
	}
	made, err := h.Keys.Rotate(t.Context(), false, jose.RS256)
	if err != nil || len(made) != 1 || made[0].Alg != string(jose.RS256) {
		t.Fatalf("made %+v, %v", made, err)
	}
	if n := len(oidctest.PublishedKIDs(t, h.Keys)); n != len(keys.SigningAlgs)+1 {
		t.Errorf("%d keys published", n)
	}
	h.Pass(keys.PublishAhead)
	for _, alg := range keys.SigningAlgs {
		if kid := kidOf(t, sign(t, h.Keys, alg)); (kid == before[alg]) == (alg == jose.RS256) {
			t.Errorf("%s is signed by the key %s, before by %s", alg, kid, before[alg])
		}
	}
}

func TestRotationBreaksNobody(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		old := map[jose.SignatureAlgorithm]string{}
		for _, alg := range keys.SigningAlgs {
			old[alg] = sign(t, h.Keys, alg)
		}
		if n := len(oidctest.PublishedKIDs(t, h.Keys)); n != len(keys.SigningAlgs) {
			t.Fatalf("%d keys at first", n)
		}
		made, err := h.Keys.Rotate(t.Context(), false)
		if err != nil || len(made) != len(keys.SigningAlgs) {
			t.Fatalf("%d keys made, %v", len(made), err)
		}
		// The new keys are published, and do not sign until everyone can have seen them.
		published := oidctest.PublishedKIDs(t, h.Keys)
		if len(published) != 2*len(keys.SigningAlgs) {
			t.Errorf("%d keys published after the rotation", len(published))
		}
		h.Pass(keys.PublishAhead - time.Microsecond)
		for _, key := range made {
			if !published[key.KID] {
				t.Errorf("the new %s key is not published", key.Alg)
			}
			if kid := kidOf(t, sign(t, h.Keys, jose.SignatureAlgorithm(key.Alg))); kid == key.KID {
				t.Errorf("the new %s key signs already", key.Alg)
			}
		}
		h.Pass(time.Microsecond)
		for _, key := range made {
			alg := jose.SignatureAlgorithm(key.Alg)
			if kid := kidOf(t, sign(t, h.Keys, alg)); kid != key.KID {
				t.Errorf("the new %s key does not sign when its time has come", key.Alg)
			}
			if _, _, err := h.Keys.Verify(old[alg], "JWT", alg); err != nil {
				t.Errorf("what the old %s key signed: %v", key.Alg, err)
			}
		}
		// The old keys leave when nothing that they signed can be valid, and not before.
		h.Pass(keys.PublishedAfter - time.Microsecond)
		if err := h.Keys.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(oidctest.PublishedKIDs(t, h.Keys)); n != 2*len(keys.SigningAlgs) {
			t.Errorf("%d keys published at the last moment", n)
		}
		h.Pass(time.Microsecond)
		if err := h.Keys.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		published = oidctest.PublishedKIDs(t, h.Keys)
		if len(published) != len(keys.SigningAlgs) {
			t.Errorf("%d keys published in the end", len(published))
		}
		for _, key := range made {
			if !published[key.KID] {
				t.Errorf("the %s key of today is not published", key.Alg)
			}
		}
		for alg, token := range old {
			if payload, _, err := h.Keys.Verify(token, "JWT", alg); err == nil {
				t.Errorf("what the retired %s key signed is trusted: %s", alg, payload)
			}
		}
	})
}

// A key that has leaked neither signs nor is trusted once every server knows its successor.
func TestLeakedKeysAreVoidSoon(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		old := map[jose.SignatureAlgorithm]string{}
		for _, alg := range keys.SigningAlgs {
			old[alg] = sign(t, h.Keys, alg)
		}
		h.Pass(time.Minute)
		made, err := h.Keys.Rotate(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		announced := oidctest.PublishedKIDs(t, h.Keys)
		for _, key := range made {
			kid := kidOf(t, sign(t, h.Keys, jose.SignatureAlgorithm(key.Alg)))
			if kid == key.KID || !announced[key.KID] {
				t.Errorf("the new %s key signs before every server knows it, or is not published", key.Alg)
			}
		}
		h.Pass(keys.Announced)
		for _, key := range made {
			if kid := kidOf(t, sign(t, h.Keys, jose.SignatureAlgorithm(key.Alg))); kid != key.KID {
				t.Errorf("the new %s key does not sign", key.Alg)
			}
		}
		h.Pass(keys.Overlap)
		if err := h.Keys.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		published := oidctest.PublishedKIDs(t, h.Keys)
		for alg, token := range old {
			if published[kidOf(t, token)] {
				t.Errorf("the leaked %s key is published", alg)
			}
			if payload, _, err := h.Keys.Verify(token, "JWT", alg); err == nil {
				t.Errorf("what the leaked %s key signed is trusted: %s", alg, payload)
			}
		}
	})
}

// Whatever the order of rotations, what signs must be published, on every day.
func TestTheKeyThatSignsIsPublished(t *testing.T) {
	for name, rotations := range map[string][]bool{ // leaked or not, a minute apart
		"one":                          {false},
		"two scheduled":                {false, false},
		"leaked, scheduled":            {true, false},
		"two leaked":                   {true, true},
		"scheduled, leaked":            {false, true}, // the key leaks while its successor waits
		"scheduled, leaked, scheduled": {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
			for _, leaked := range rotations {
				h.Pass(time.Minute)
				if _, err := h.Keys.Rotate(t.Context(), leaked); err != nil {
					t.Fatal(err)
				}
			}
			for range 30 {
				if err := h.Keys.Reload(t.Context()); err != nil {
					t.Fatal(err)
				}
				published := oidctest.PublishedKIDs(t, h.Keys)
				for _, alg := range keys.SigningAlgs {
					token := sign(t, h.Keys, alg)
					if kid := kidOf(t, token); !published[kid] {
						t.Fatalf("at %s the %s key %s signs and is not published", h.Clock, alg, kid)
					}
					if _, _, err := h.Keys.Verify(token, "JWT", alg); err != nil {
						t.Fatalf("at %s we do not trust what we have just signed: %v", h.Clock, err)
					}
				}
				h.Pass(time.Hour)
			}
		})
	}
}

// When a key has leaked the newest key signs from now on, whatever was planned.
func TestLeakOverrulesAPlannedRotation(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	if _, err := h.Keys.Rotate(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	h.Pass(time.Minute)
	made, err := h.Keys.Rotate(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	h.Pass(keys.PublishAhead)
	for _, key := range made {
		if kid := kidOf(t, sign(t, h.Keys, jose.SignatureAlgorithm(key.Alg))); kid != key.KID {
			t.Errorf("the %s key that was planned before signs again", key.Alg)
		}
	}
}

// An access token that was verified is remembered; that must not outlive the belief in its key.
func TestAVerifiedTokenIsNotBelievedAfterItsKeyLeaked(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		secret := h.Add(t, &clients.Client{
			ID: "app", Name: "App", AuthMethod: clients.AuthPost, GrantTypes: []string{oidc.GrantClientCredentials},
		})
		tokens, _, err := h.Grants.Token(t.Context(), oidc.Request{
			Form: url.Values{"grant_type": {oidc.GrantClientCredentials}, "client_id": {"app"}, "client_secret": {secret}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from memory
			if _, err := h.Tokens.ReadAccessToken(tokens.AccessToken); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Beside().Rotate(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		h.Pass(keys.Announced + keys.Overlap)
		if err := h.Keys.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if claims, err := h.Tokens.ReadAccessToken(tokens.AccessToken); err == nil {
			t.Errorf("trusted after the leak: %+v", claims)
		}
	})
}

func TestAVerifiedTokenExpiresAllTheSame(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	token, err := h.Tokens.SignAccessToken(t.Context(), tokens.AccessToken{
		Client: &clients.Client{ID: "app"}, Scopes: []string{"read"},
	}, h.Clock)
	if err != nil {
		t.Fatal(err)
	}
	expiry := time.Unix(h.Clock.Add(h.Lifetimes.AccessToken).Unix(), 0)
	h.Clock = expiry.Add(-time.Microsecond)
	for range 2 {
		if _, err := h.Tokens.ReadAccessToken(token); err != nil {
			t.Fatal(err)
		}
	}
	h.Clock = expiry
	if claims, err := h.Tokens.ReadAccessToken(token); err == nil {
		t.Errorf("an expired token is good: %+v", claims)
	}
}

// Replicas start together on an empty database; all must end up signing with the same keys.
func TestProcessesThatStartTogetherAgreeOnOneKey(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, url string) {
		seal, err := seal.Parse(seal.NewMasterKey())
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
		processes := make([]*keys.Keys, 4)
		for i := range processes {
			db, err := storage.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			processes[i] = &keys.Keys{Database: db, Seal: seal, Now: func() time.Time {
				return now
			}, Log: slog.New(slog.DiscardHandler)}
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		for _, keys := range processes {
			wg.Go(func() {
				<-start
				if err := keys.Load(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if t.Failed() {
			return
		}
		stored, err := processes[0].List(t.Context())
		if err != nil || len(stored) != len(keys.SigningAlgs) {
			t.Errorf("%d keys in the database, want one for each algorithm (%v)", len(stored), err)
		}
		for _, alg := range keys.SigningAlgs {
			token := sign(t, processes[0], alg)
			for i, keys := range processes {
				if kidOf(t, sign(t, keys, alg)) != kidOf(t, token) {
					t.Errorf("process %d signs %s with another key", i, alg)
				}
				if _, _, err := keys.Verify(token, "JWT", alg); err != nil {
					t.Errorf("process %d does not know the %s key of the first: %v", i, alg, err)
				}
				if string(keys.Published()) != string(processes[0].Published()) {
					t.Errorf("process %d publishes another set", i)
				}
			}
		}
	})
}

// Clocks of two machines differ by a little. The one that is behind finds keys from its future, and must sign all the
// same.
func TestProcessWhoseClockIsBehindCanSign(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		behind := h.Beside()
		behind.Now = func() time.Time { return h.Clock.Add(-500 * time.Millisecond) }
		if err := behind.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, alg := range keys.SigningAlgs {
			if _, err := behind.Sign(alg, "JWT", map[string]string{"sub": "alice"}); err != nil {
				t.Errorf("half a second behind: %v", err)
			}
		}
		if stored, err := behind.List(t.Context()); err != nil || len(stored) != len(keys.SigningAlgs) {
			t.Errorf("%d keys, %v", len(stored), err)
		}
	})
}

func TestRotationOfAnotherProcessIsTakenOver(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		command := h.Beside() // wicket key rotate, beside a running server
		made, err := command.Rotate(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		h.Pass(keys.PublishAhead)
		before := sign(t, h.Keys, jose.ES256)
		theirs := sign(t, command, jose.ES256)
		if kidOf(t, before) == kidOf(t, theirs) {
			t.Fatal("the server knew before it looked")
		}
		if err := h.Keys.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, key := range made {
			if kid := kidOf(t, sign(t, h.Keys, jose.SignatureAlgorithm(key.Alg))); kid != key.KID {
				t.Errorf("the server still signs %s with the old key", key.Alg)
			}
		}
		for _, token := range []string{before, theirs} {
			if _, _, err := h.Keys.Verify(token, "JWT", jose.ES256); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestLoadingAgainMakesNothing(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		token := sign(t, h.Keys, jose.RS256)
		restarted := h.Beside()
		if err := restarted.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if kidOf(t, sign(t, restarted, jose.RS256)) != kidOf(t, token) ||
			string(restarted.Published()) != string(h.Keys.Published()) {
			t.Error("a restart changes the keys")
		}
	})
}

// A key that cannot be read keeps no other from being used, or from its end; the log names it once. The one that signs
// must be readable.
func TestAnUnreadableKey(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		var log bytes.Buffer
		server := h.Beside()
		server.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := server.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		old := sign(t, server, jose.ES256)
		made, err := h.Keys.Rotate(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := made[slices.IndexFunc(made, func(key keys.SigningKey) bool { return key.Alg == string(jose.ES256) })].KID
		if err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*keys.SigningKey)(nil)).
				Set("sealed_key = ?", []byte("spoilt")).Where("kid = ?", spoilt).Exec(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // it does not sign yet
			if err := server.Reload(t.Context()); err != nil {
				t.Errorf("a key that does not sign: %v", err)
			}
		}
		if published := oidctest.PublishedKIDs(t, server); len(published) != 2*len(keys.SigningAlgs)-1 || published[spoilt] {
			t.Errorf("published are %v, without %s", published, spoilt)
		}
		h.Pass(keys.Announced)
		if err := server.Reload(t.Context()); !errors.Is(err, seal.ErrSealed) || !strings.Contains(err.Error(), spoilt) {
			t.Errorf("the key that signs: %v", err)
		}
		if kid := kidOf(t, sign(t, server, jose.EdDSA)); kid == spoilt || !oidctest.PublishedKIDs(t, server)[kid] {
			t.Errorf("EdDSA is signed with %s", kid)
		}
		h.Pass(keys.Overlap) // the leaked key is void, though its successor cannot be read
		if err := server.Reload(t.Context()); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("the key that signs: %v", err)
		}
		if _, _, err := server.Verify(old, "JWT", jose.ES256); err == nil {
			t.Error("what the leaked key signed is trusted")
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "kid="+spoilt) {
			t.Errorf("%d lines:\n%s", n, &log)
		}
		if err := h.Beside().Load(t.Context()); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("a server that starts: %v", err)
		}
	})
}

// A rotation may wait for another: the new keys sign no sooner after it than every server knows them.
func TestARotationThatWaited(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.Postgres))
	h.Database.Observe(afterLock(func() { h.Pass(time.Hour) }))
	made, err := h.Keys.Rotate(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range made {
		if !key.SignsFrom.Equal(h.Clock.Add(keys.Announced)) {
			t.Errorf("the %s key signs from %s, and it is %s", key.Alg, key.SignsFrom, h.Clock)
		}
	}
}

// afterLock does something when a lock was had.
type afterLock func()

func (afterLock) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (do afterLock) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if strings.Contains(event.Query, "pg_advisory_xact_lock") {
		do()
	}
}

func TestWrongMasterKeyIsNamed(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		other, err := seal.Parse(seal.NewMasterKey())
		if err != nil {
			t.Fatal(err)
		}
		stranger := h.Beside()
		stranger.Seal = other
		if err := stranger.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "WICKET_SECRET") {
			t.Errorf("another master key: %v", err)
		}
		if stored, err := h.Keys.List(t.Context()); err != nil || len(stored) != len(keys.SigningAlgs) {
			t.Errorf("%d keys, %v: the wrong master key made new ones", len(stored), err)
		}
	})
}

// Private keys are sealed: nobody who reads the database can sign.
func TestStoredKeysAreSealed(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		stored, err := h.Keys.List(t.Context())
		if err != nil || len(stored) == 0 {
			t.Fatal(err)
		}
		for _, key := range stored {
			opened, err := h.Seal.Open(keys.SealForKeys, key.SealedKey)
			if err != nil || strings.Contains(string(key.SealedKey), string(opened)) ||
				strings.Contains(string(key.SealedKey), "PRIVATE") {
				t.Errorf("%s: %v", key.Alg, err)
			}
		}
	})
}

func TestVerifyPinsAlgorithmTypeAndKey(t *testing.T) {
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	token := sign(t, h.Keys, jose.ES256)
	if _, _, err := h.Keys.Verify(token, "JWT", jose.ES256); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	stranger := oidctest.New(t, storagetest.Open(t, storage.SQLite)).Keys
	for name, c := range map[string]struct {
		keys       *keys.Keys
		token, typ string
		algs       []jose.SignatureAlgorithm
	}{
		"another type":      {h.Keys, token, "at+jwt", keys.SigningAlgs},
		"no type":           {h.Keys, token, "", keys.SigningAlgs},
		"another algorithm": {h.Keys, token, "JWT", []jose.SignatureAlgorithm{jose.RS256, jose.EdDSA}},
		"no algorithm":      {h.Keys, token, "JWT", nil},
		"a key of others":   {stranger, token, "JWT", keys.SigningAlgs},
		// RFC 7519, section 3
		"JSON, not compact": {h.Keys, `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` +
			parts[2] + `"}`, "JWT", keys.SigningAlgs},
		"white space":  {h.Keys, parts[0] + ".\n" + parts[1] + ". " + parts[2], "JWT", keys.SigningAlgs},
		"no signature": {h.Keys, token[:strings.LastIndexByte(token, '.')+1], "JWT", keys.SigningAlgs},
	} {
		if payload, _, err := c.keys.Verify(c.token, c.typ, c.algs...); err == nil {
			t.Errorf("%s: %s", name, payload)
		}
	}
}
