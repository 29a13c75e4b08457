package keys_test

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// publishedFor is the key of the published set that apps encrypt with by that algorithm.
func publishedFor(t testing.TB, k *keys.Keys, alg jose.KeyAlgorithm) jose.JSONWebKey {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(k.Published(), &set); err != nil {
		t.Fatal(err)
	}
	var found []jose.JSONWebKey
	for _, key := range set.Keys {
		if key.Use == "enc" && key.Algorithm == string(alg) {
			found = append(found, key)
		}
	}
	if len(found) != 1 || !found[0].IsPublic() {
		t.Fatalf("%d keys are published for %s", len(found), alg)
	}
	return found[0]
}

// encrypted encrypts a text for a key.
func encrypted(t testing.TB, key jose.JSONWebKey, enc jose.ContentEncryption, text string) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(
		enc, jose.Recipient{Algorithm: jose.KeyAlgorithm(key.Algorithm), Key: key.Key, KeyID: key.KeyID}, nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	made, err := encrypter.Encrypt([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := made.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// A key is made when an app first needs it, once, however many processes begin; each way of encrypting works.
func TestEncryptionKeysAreMadeWhenNeeded(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if n := len(oidctest.PublishedKIDs(t, h.Keys)); n != len(keys.SigningAlgs) {
			t.Errorf("%d keys before any is needed", n)
		}
		for _, alg := range keys.EncryptionAlgs {
			var all sync.WaitGroup
			for range map[bool]int{true: 4, false: 1}[alg == jose.ECDH_ES] { // RSA keys take a while
				all.Go(func() {
					beside := h.Beside()
					if err := errors.Join(beside.Load(t.Context()), beside.ProvideEncryption(t.Context(), alg)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if err := h.Keys.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			key := publishedFor(t, h.Keys, alg)
			for _, enc := range keys.EncryptionContentAlgs {
				content, err := h.Keys.Decrypt(t.Context(), encrypted(t, key, enc, "a request"), alg, enc)
				if err != nil || string(content) != "a request" {
					t.Errorf("%s, %s: %q, %v", alg, enc, content, err)
				}
			}
			nameless := key
			nameless.KeyID = ""
			text := encrypted(t, nameless, jose.A128GCM, "x")
			if _, err := h.Keys.Decrypt(t.Context(), text, alg, jose.A128GCM); err != nil {
				t.Errorf("%s, without a kid: %v", alg, err)
			}
		}
		listed, err := h.Keys.ListEncryption(t.Context())
		if err != nil || len(listed) != len(keys.EncryptionAlgs) {
			t.Errorf("%d keys for %d algorithms, %v", len(listed), len(keys.EncryptionAlgs), err)
		}
		// A command, which has loaded nothing.
		if err := h.Beside().ProvideEncryption(t.Context(), jose.ECDH_ES); err != nil {
			t.Error(err)
		}
		if again, err := h.Keys.ListEncryption(t.Context()); err != nil || len(again) != len(listed) {
			t.Errorf("a command made another: %d, %v", len(again), err)
		}
	})
}

// What is encrypted with the key of before is decrypted for a while; it is published no more.
func TestRotationOfEncryptionKeys(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		for _, c := range []struct {
			leaked bool
			after  time.Duration
		}{{false, keys.DecryptsAfter}, {true, keys.LeakedDecrypts}} {
			if err := h.Keys.ProvideEncryption(t.Context(), jose.ECDH_ES); err != nil {
				t.Fatal(err)
			}
			old := publishedFor(t, h.Keys, jose.ECDH_ES)
			text := encrypted(t, old, jose.A256GCM, "x")
			other := h.Beside()
			if err := other.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			made, err := h.Keys.RotateEncryption(t.Context(), c.leaked)
			if err != nil || len(made) != 1 || made[0].KID == old.KeyID {
				t.Fatalf("leaked %v: %+v, %v", c.leaked, made, err)
			}
			next := publishedFor(t, h.Keys, jose.ECDH_ES)
			if next.KeyID != made[0].KID {
				t.Errorf("leaked %v: the key before is still published", c.leaked)
			}
			// Another server, which has not seen the new key, learns of it when an app uses it.
			anew := encrypted(t, next, jose.A256GCM, "x")
			if _, err := other.Decrypt(t.Context(), anew, jose.ECDH_ES, jose.A256GCM); err != nil {
				t.Errorf("leaked %v: the new key, at another server: %v", c.leaked, err)
			}
			h.Pass(c.after - time.Microsecond)
			if _, err := h.Keys.Decrypt(t.Context(), text, jose.ECDH_ES, jose.A256GCM); err != nil {
				t.Errorf("leaked %v: the old key, to the end: %v", c.leaked, err)
			}
			h.Pass(time.Microsecond)
			content, err := h.Keys.Decrypt(t.Context(), text, jose.ECDH_ES, jose.A256GCM)
			if !errors.Is(err, keys.ErrDecryption) {
				t.Errorf("leaked %v: the old key, after its end: %q, %v", c.leaked, content, err)
			}
			h.Pass(time.Second)
			if gone, err := h.Expire(t.Context()); err != nil || gone["encryption_keys"] != 1 {
				t.Errorf("leaked %v: %d old keys deleted, %v", c.leaked, gone["encryption_keys"], err)
			}
		}
		if made, err := h.Keys.RotateEncryption(t.Context(), false, jose.RSA_OAEP); err != nil || len(made) != 1 {
			t.Errorf("one that there was not: %+v, %v", made, err)
		}
	})
}

// Whatever is wrong, the answer is the same.
func TestWhatIsNotDecrypted(t *testing.T) {
	t.Parallel()
	h := oidctest.New(t, storagetest.Open(t, storage.SQLite))
	for _, alg := range []jose.KeyAlgorithm{jose.RSA_OAEP, jose.RSA_OAEP_256, jose.ECDH_ES, jose.ECDH_ES_A128KW} {
		if err := h.Keys.ProvideEncryption(t.Context(), alg); err != nil {
			t.Fatal(err)
		}
	}
	key := publishedFor(t, h.Keys, jose.RSA_OAEP_256)
	as := func(change func(*jose.JSONWebKey)) jose.JSONWebKey {
		other := key
		change(&other)
		return other
	}
	good := encrypted(t, key, jose.A128CBC_HS256, "x")
	if _, err := h.Keys.Decrypt(t.Context(), good, jose.RSA_OAEP_256, jose.A128CBC_HS256); err != nil {
		t.Fatal(err)
	}
	with := func(header map[string]any) string {
		all := map[string]any{"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256", "kid": key.KeyID}
		for name, value := range header {
			all[name] = value
		}
		encoded, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(good, ".")
		return base64.RawURLEncoding.EncodeToString(encoded) + "." + rest
	}
	parts := strings.Split(good, ".")
	for name, text := range map[string]string{
		"nothing":             "",
		"four dots":           "....",
		"no JSON":             "AAAA.A.A.A.A",
		"a list":              base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".A.A.A.A",
		"another alg":         encrypted(t, as(func(k *jose.JSONWebKey) { k.Algorithm = string(jose.RSA_OAEP) }), jose.A128CBC_HS256, "x"),
		"the key of another":  encrypted(t, as(func(k *jose.JSONWebKey) { k.KeyID = publishedFor(t, h.Keys, jose.RSA_OAEP).KeyID }), jose.A128CBC_HS256, "x"),
		"another enc":         encrypted(t, key, jose.A256GCM, "x"),
		"an unknown key":      encrypted(t, as(func(k *jose.JSONWebKey) { k.KeyID = "nobody's" }), jose.A128CBC_HS256, "x"),
		"a key that signs":    encrypted(t, as(func(k *jose.JSONWebKey) { k.KeyID = signingKID(t, h.Keys) }), jose.A128CBC_HS256, "x"),
		"kid no text":         with(map[string]any{"kid": 1}),
		"kid empty":           with(map[string]any{"kid": ""}),
		"zip":                 with(map[string]any{"zip": "DEF"}),
		"zip of nothing":      with(map[string]any{"zip": nil}),
		"crit":                with(map[string]any{"crit": []string{"exp"}}),
		"header changed":      with(map[string]any{"typ": "JWT"}),
		"dir":                 with(map[string]any{"alg": "dir"}),
		"RSA1_5":              with(map[string]any{"alg": "RSA1_5"}),
		"PBES2":               with(map[string]any{"alg": "PBES2-HS256+A128KW", "p2c": 1 << 30, "p2s": "AAAA"}),
		"key changed":         strings.Join([]string{parts[0], flip(parts[1]), parts[2], parts[3], parts[4]}, "."),
		"no key":              strings.Join([]string{parts[0], "", parts[2], parts[3], parts[4]}, "."),
		"iv changed":          strings.Join([]string{parts[0], parts[1], flip(parts[2]), parts[3], parts[4]}, "."),
		"no iv":               strings.Join([]string{parts[0], parts[1], "", parts[3], parts[4]}, "."),
		"content changed":     strings.Join([]string{parts[0], parts[1], parts[2], flip(parts[3]), parts[4]}, "."),
		"no content":          strings.Join([]string{parts[0], parts[1], parts[2], "", parts[4]}, "."),
		"tag changed":         strings.Join([]string{parts[0], parts[1], parts[2], parts[3], flip(parts[4])}, "."),
		"no tag":              strings.Join([]string{parts[0], parts[1], parts[2], parts[3], ""}, "."),
		"more":                good + ".",
		"the JSON form":       `{"protected":"` + parts[0] + `","encrypted_key":"` + parts[1] + `"}`,
		"too long":            encrypted(t, key, jose.A128CBC_HS256, strings.Repeat("x", keys.MaxEncrypted)),
		"compressed, in fact": compressed(t, key, strings.Repeat("x", 1000)),
	} {
		content, err := h.Keys.Decrypt(t.Context(), text, jose.RSA_OAEP_256, jose.A128CBC_HS256)
		if err != keys.ErrDecryption || content != nil { //nolint:errorlint // nothing may be wrapped around it
			t.Errorf("%s: %q, %v", name, content, err)
		}
	}
	// An ephemeral key that is not on the curve would give our own away bit by bit.
	curve := publishedFor(t, h.Keys, jose.ECDH_ES)
	header := `{"alg":"ECDH-ES","enc":"A128GCM","kid":"` + curve.KeyID + `","epk":{"kty":"EC","crv":"P-256","x":"` +
		strings.Repeat("A", 42) + "E" + `","y":"` + strings.Repeat("A", 42) + "E" + `"}}`
	off := base64.RawURLEncoding.EncodeToString([]byte(header)) + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"
	if _, err := h.Keys.Decrypt(t.Context(), off, jose.ECDH_ES, jose.A128GCM); !errors.Is(err, keys.ErrDecryption) {
		t.Errorf("a point off the curve: %v", err)
	}
}

// compressed encrypts a text as go-jose does where it is compressed.
func compressed(t testing.TB, key jose.JSONWebKey, text string) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(
		jose.A128CBC_HS256, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: key.Key, KeyID: key.KeyID},
		&jose.EncrypterOptions{Compression: jose.DEFLATE},
	)
	if err != nil {
		t.Fatal(err)
	}
	made, err := encrypter.Encrypt([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := made.CompactSerialize()
	if err != nil || len(compact) > keys.MaxEncrypted {
		t.Fatal(len(compact), err)
	}
	return compact
}

// flip changes the first character of a part.
func flip(part string) string {
	if part[0] == 'A' {
		return "B" + part[1:]
	}
	return "A" + part[1:]
}

func signingKID(t testing.TB, k *keys.Keys) string { return kidOf(t, sign(t, k, jose.RS256)) }

// A key that apps encrypt with signs nothing that is believed, though it is published and could.
func TestEncryptionKeysSignNothing(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if err := h.Keys.ProvideEncryption(t.Context(), jose.RSA_OAEP_256); err != nil {
			t.Fatal(err)
		}
		listed, err := h.Keys.ListEncryption(t.Context())
		if err != nil || len(listed) != 1 {
			t.Fatal(listed, err)
		}
		opened, err := h.Seal.Open(keys.SealForEncryption, listed[0].SealedKey)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.ParsePKCS8PrivateKey(opened)
		if err != nil {
			t.Fatal(err)
		}
		for _, kid := range []string{listed[0].KID, signingKID(t, h.Keys), ""} {
			token := oidctest.Assertion(t, jose.RS256, private.(*rsa.PrivateKey), kid, map[string]any{"sub": "alice"})
			if payload, _, err := h.Keys.Verify(token, "JWT", keys.SigningAlgs...); err == nil {
				t.Errorf("kid %q: believed: %s", kid, payload)
			}
		}
		if h.Keys.Trusts(listed[0].KID) {
			t.Error("it is trusted to sign")
		}
	})
}

// An encryption key that cannot be read is no reason for the others to stop.
func TestEncryptionKeysThatCannotBeRead(t *testing.T) {
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if err := h.Keys.ProvideEncryption(t.Context(), jose.ECDH_ES); err != nil {
			t.Fatal(err)
		}
		master, err := seal.Parse(seal.NewMasterKey())
		if err != nil {
			t.Fatal(err)
		}
		wrong := master.Close(keys.SealForEncryption, []byte("x"))
		err = h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model((*keys.EncryptionKey)(nil)).Set("sealed_key = ?", wrong).
				Where("alg = ?", jose.ECDH_ES).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		beside := h.Beside()
		if err := beside.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		kids := oidctest.PublishedKIDs(t, beside)
		if len(kids) != len(keys.SigningAlgs) {
			t.Errorf("%d keys published", len(kids))
		}
		sign(t, beside, jose.RS256)
	})
}
