package factor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// A key is a second step only by the answer to this question, given on our pages, touched, and signed by a key of this
// person; and once. The recipes are those of FuzzPasskeySignIn, with %P for the passkey where %I is the security key.
// Counter is what the key says of how often it was used.
func FuzzSecondKey(f *testing.F) {
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	alice, key, passkey := h.Alice(f), newFuzzKey(f), newFuzzKey(f)
	passkey.id = []byte("another bytes id")
	row := func(key *fuzzKey) factor.Authenticator {
		return factor.Authenticator{
			ID: storage.NewID(), UserID: alice.ID, Name: "Key", RPID: "localhost", CredentialID: key.id, PublicKey: key.public,
			Transports: []string{}, Flags: present, SignCount: 7, AttestationType: "none", AttestationFormat: "none",
			Attestation: json.RawMessage("{}"), CreatedAt: h.Clock,
		}
	}
	hard, soft := &factor.HardwareKey{Authenticator: row(key)}, &factor.Passkey{Authenticator: row(passkey)}
	err := h.Database.Write(f.Context(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(hard).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(soft).Exec(ctx)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	const client = `{"type":"webauthn.get","challenge":"%Q","origin":"http://localhost"}`
	const answer = `{"id":"%I","rawId":"%I","type":"public-key","response":{"clientDataJSON":"%C","authenticatorData":"%A","signature":"%S","userHandle":"%U"}}`
	party := sha256.Sum256([]byte("localhost"))
	f.Add(client, byte(present), uint32(8), []byte{}, answer)
	for _, change := range []string{
		"webauthn.get|webauthn.create", "%Q|", "%Q|x", "http://localhost|https://evil.example", "http://localhost|http://localhost:1", "}|,\"crossOrigin\":true}",
		"}|,\"challenge\":\"x\"}", "http://localhost|http://LOCALHOST", "{|", "}|}}", "type|TYPE",
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(strings.Replace(client, from, to, 1), byte(present), uint32(8), []byte{}, answer)
	}
	for _, flags := range []byte{0, userVerified, present | userVerified, present | attested, 0x0d, 0x1d, 0x80, 0xff} {
		f.Add(client, flags, uint32(0), []byte{0xa0}, answer)
	}
	for _, counter := range []uint32{0, 6, 7, 1 << 31, 1<<32 - 1} {
		f.Add(client, byte(present), counter, []byte{}, answer)
	}
	for _, change := range []string{
		"%I|%P", "%S|", "%S|%C", "%U|", "%U|%I", "%I|x", "public-key|x", "%C|%A", "}}|", `,"userHandle":"%U"|`, "%S\"|%S\",\"signature\":\"AA\"", "{|[",
		`}}|},"clientExtensionResults":{"appid":true}}`, `}}|},"clientExtensionResults":{"\u0000":[]},"authenticatorAttachment":"\u0000"}`,
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(client, byte(present), uint32(9), []byte{}, strings.ReplaceAll(answer, from, to))
	}
	f.Fuzz(func(t *testing.T, client string, flags byte, counter uint32, rest []byte, answer string) {
		ceremony, err := h.Factors.BeginSecondKey(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		challenge := challengeOf(t, ceremony)
		said := strings.ReplaceAll(client, "%Q", challenge)
		data := append(binary.BigEndian.AppendUint32(append(party[:], flags), counter), rest...)
		hash := sha256.Sum256([]byte(said))
		signed := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
		signature, err := ecdsa.SignASN1(rand.Reader, key.private, signed[:])
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(
			"%C", encode([]byte(said)), "%A", encode(data), "%S", encode(signature),
			"%I", encode(key.id), "%P", encode(passkey.id), "%U", encode(alice.ID[:]),
		).Replace(answer)
		given := factor.Answer{State: ceremony.State, Response: text}
		proved, err := h.Factors.CheckSecondKey(t.Context(), alice, given)
		if err != nil {
			t.Fatalf("a fault: %v", err)
		}
		if proved == nil {
			return
		}
		var told clientData
		if err := json.Unmarshal([]byte(said), &told); err != nil || told.Type != "webauthn.get" ||
			told.Challenge != challenge || !isOurs(told.Origin) {
			t.Fatalf("the client data %q is accepted (%v)", said, err)
		}
		if flags&present == 0 || !strings.Contains(text, encode(signature)) || !strings.Contains(text, encode(data)) ||
			proved.Method != "hardware_key" || !bytes.Equal(proved.Key.CredentialID, key.id) {
			t.Fatalf("%s with the flags %x is accepted as %+v", text, flags, proved)
		}
		use := func(proved *factor.Proved) (bool, error) {
			return storage.Write(t.Context(), h.Database, func(ctx context.Context, tx bun.Tx) (bool, error) {
				return proved.Use(ctx, tx, h.Clock)
			})
		}
		if ok, err := use(proved); err != nil {
			t.Fatalf("%s: a fault: %v, %v", text, ok, err)
		}
		if again, err := h.Factors.CheckSecondKey(t.Context(), alice, given); err != nil {
			t.Fatalf("%s again: %v", text, err)
		} else if again != nil {
			if ok, err := use(again); ok || err != nil && !errors.Is(err, storage.ErrUsedBefore) {
				t.Fatalf("%s is accepted twice (%v)", text, err)
			}
		}
		other, err := h.Factors.BeginSecondKey(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		given.State = other.State
		if proved, err := h.Factors.CheckSecondKey(t.Context(), alice, given); err != nil || proved != nil {
			t.Fatalf("%s answers another question too (%v)", text, err)
		}
		back := func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewUpdate().Model(hard).Column("sign_count", "flags", "clone_warning_at").WherePK().Exec(ctx)
			return err
		}
		if err := h.Database.Write(t.Context(), back); err != nil {
			t.Fatal(err)
		}
	})
}
