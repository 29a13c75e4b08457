package factor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

const (
	origin       = "http://localhost" // of identitytest's relying party
	present      = 0x01
	userVerified = 0x04
	attested     = 0x40
)

var encode = base64.RawURLEncoding.EncodeToString

// fuzzKey is an authenticator of the tests.
type fuzzKey struct {
	private *ecdsa.PrivateKey
	id      []byte
	public  []byte // COSE
}

func newFuzzKey(f testing.TB) *fuzzKey {
	f.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		f.Fatal(err)
	}
	public, err := webauthncbor.Marshal(webauthncose.EC2PublicKeyData{
		PublicKeyData: webauthncose.PublicKeyData{
			KeyType: int64(webauthncose.EllipticKey), Algorithm: int64(webauthncose.AlgES256),
		},
		Curve: int64(webauthncose.P256), XCoord: point[1:33], YCoord: point[33:],
	})
	if err != nil {
		f.Fatal(err)
	}
	return &fuzzKey{private: private, id: []byte("sixteen bytes id"), public: public}
}

// challengeOf is what a ceremony asks to be signed.
func challengeOf(t *testing.T, ceremony *factor.Ceremony) string {
	t.Helper()
	var options struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(ceremony.Options, &options); err != nil || options.PublicKey.Challenge == "" {
		t.Fatalf("%s, %v", ceremony.Options, err)
	}
	return options.PublicKey.Challenge
}

// isOurs tells whether an origin is that of our pages; browsers write it in lower case and without a path.
func isOurs(told string) bool {
	parsed, err := url.Parse(told)
	return err == nil && strings.EqualFold(parsed.Scheme+"://"+parsed.Host, origin)
}

// clientData is what a browser says that it was asked, and where.
type clientData struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
}

// A passkey signs in only who holds it, by the answer to this question, given on our pages, touched and verified. The
// client data, the authenticator data and the answer around them are recipes: %Q is the challenge; %C, %A, %S, %I and
// %U are client data, authenticator data, signature, key and user.
func FuzzPasskeySignIn(f *testing.F) {
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	alice, key := h.Alice(f), newFuzzKey(f)
	row := &factor.Passkey{Authenticator: factor.Authenticator{
		ID: storage.NewID(), UserID: alice.ID, Name: "Passkey", RPID: "localhost", CredentialID: key.id, PublicKey: key.public,
		Transports: []string{}, Flags: present | userVerified, AttestationType: "none", AttestationFormat: "none",
		Attestation: json.RawMessage("{}"), CreatedAt: h.Clock,
	}}
	err := h.Database.Write(f.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(row).Exec(ctx)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	const client = `{"type":"webauthn.get","challenge":"%Q","origin":"http://localhost"}`
	const answer = `{"id":"%I","rawId":"%I","type":"public-key","response":{"clientDataJSON":"%C","authenticatorData":"%A","signature":"%S","userHandle":"%U"}}`
	party := sha256.Sum256([]byte("localhost"))
	data := append(party[:], present|userVerified, 0, 0, 0, 0)
	f.Add(client, data, answer)
	for _, change := range []string{
		"webauthn.get|webauthn.create", "%Q|", "%Q|x", "http://localhost|https://evil.example", "http://localhost|http://localhost:1", "}|,\"crossOrigin\":true}",
		"}|,\"challenge\":\"x\"}", "http://localhost|http://LOCALHOST", "{|", "}|}}", "http://localhost|http://localhost/", "type|TYPE",
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(strings.Replace(client, from, to, 1), data, answer)
	}
	for _, flags := range []byte{0, present, userVerified, 0x0d, 0x15, 0x1d, 0xff} { // with and without a backup
		changed := bytes.Clone(data)
		changed[32] = flags
		f.Add(client, changed, answer)
	}
	f.Add(client, data[:36], answer)
	f.Add(client, append(bytes.Clone(data), 0xa0), answer)
	f.Add(client, bytes.Repeat([]byte{5}, 37), answer)
	for _, change := range []string{"%S|", "%S|%C", "%U|", "%U|%I", "%I|x", "public-key|x", "%C|%A", "}}|", "%S\"|%S\",\"signature\":\"AA\"", "{|[", "%S|%S="} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(client, data, strings.ReplaceAll(answer, from, to))
	}
	f.Fuzz(func(t *testing.T, client string, data []byte, answer string) {
		ceremony, err := h.Factors.Passkeys().BeginSignIn()
		if err != nil {
			t.Fatal(err)
		}
		challenge := challengeOf(t, ceremony)
		said := strings.ReplaceAll(client, "%Q", challenge)
		hash := sha256.Sum256([]byte(said))
		signed := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
		signature, err := ecdsa.SignASN1(rand.Reader, key.private, signed[:])
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer(
			"%C", encode([]byte(said)), "%A", encode(data), "%S", encode(signature),
			"%I", encode(key.id), "%U", encode(alice.ID[:]),
		).Replace(answer)
		shown, err := h.Factors.Passkeys().Read(t.Context(), ceremony.State, text)
		if err != nil {
			t.Fatalf("a fault: %v", err)
		}
		if shown == nil || !shown.IsVerified() {
			return
		}
		var told clientData
		if err := json.Unmarshal([]byte(said), &told); err != nil || told.Type != "webauthn.get" ||
			told.Challenge != challenge || !isOurs(told.Origin) {
			t.Fatalf("the client data %q is accepted (%v)", said, err)
		}
		if len(data) < 37 || !bytes.Equal(data[:32], party[:]) || data[32]&present == 0 || data[32]&userVerified == 0 {
			t.Fatalf("the authenticator data %x is accepted", data)
		}
		if shown.User.ID != alice.ID || !strings.Contains(text, encode(signature)) || !strings.Contains(text, encode(data)) {
			t.Fatalf("%s signs %s in", text, shown.User.Username)
		}
		other, err := h.Factors.Passkeys().BeginSignIn()
		if err != nil {
			t.Fatal(err)
		}
		shown, err = h.Factors.Passkeys().Read(t.Context(), other.State, text)
		if err != nil || shown != nil && shown.IsVerified() {
			t.Fatalf("%s answers another question too (%v)", text, err)
		}
		shown, err = h.Factors.Passkeys().Read(t.Context(), strings.ToUpper(ceremony.State), text)
		if err != nil || shown != nil {
			t.Fatalf("a changed state is accepted (%v)", err)
		}
	})
}

var transport = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// A passkey is registered only by the answer to this question, given on our pages, touched and verified; and what is
// kept of it is text that both databases take, and a key that is read as the one that was sent. Recipes are those of
// FuzzPasskeySignIn; %O is the attestation object around the authenticator data, in the format given.
func FuzzPasskeyRegistration(f *testing.F) {
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	alice, key := h.Alice(f), newFuzzKey(f)
	const client = `{"type":"webauthn.create","challenge":"%Q","origin":"http://localhost"}`
	const answer = `{"id":"%I","rawId":"%I","type":"public-key","response":{"clientDataJSON":"%C","attestationObject":"%O","transports":["internal"]}}`
	party := sha256.Sum256([]byte("localhost"))
	data := append(party[:], present|userVerified|attested, 0, 0, 0, 7)
	data = append(data, make([]byte, 16)...) // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(key.id)))
	data = append(append(data, key.id...), key.public...)
	f.Add(client, data, "none", answer)
	for _, format := range []string{"packed", "fido-u2f", "tpm", "android-key", "android-safetynet", "apple", "compound", "", "x\x00"} {
		f.Add(client, data, format, answer)
	}
	for _, change := range []string{
		"webauthn.create|webauthn.get", "%Q|x", "http://localhost|https://evil.example", "}|,\"crossOrigin\":true}", "{|",
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(strings.Replace(client, from, to, 1), data, "none", answer)
	}
	for _, flags := range []byte{0, attested, present | attested, userVerified | attested, present | userVerified, 0xff} {
		changed := bytes.Clone(data)
		changed[32] = flags
		f.Add(client, changed, "none", answer)
	}
	f.Add(client, data[:60], "none", answer)
	f.Add(client, append(bytes.Clone(data), 0xa0), "none", answer)
	for _, change := range []string{
		`internal|a\u0000b`, `internal|` + strings.Repeat("x", 100), `["internal"]|["usb","nfc","ble","hybrid","internal","usb","x y","<b>"]`, `["internal"]|null`,
		"%I|", "%I|AAAA", "%O|", "%O|%C", "public-key|x", `"]|"],"authenticatorAttachment":"\u0000"`,
	} {
		from, to, _ := strings.Cut(change, "|")
		f.Add(client, data, "none", strings.ReplaceAll(answer, from, to))
	}
	f.Fuzz(func(t *testing.T, client string, data []byte, format, answer string) {
		ceremony, err := h.Factors.Passkeys().Begin(t.Context(), alice)
		if err != nil {
			t.Fatal(err)
		}
		challenge := challengeOf(t, ceremony)
		said := strings.ReplaceAll(client, "%Q", challenge)
		object, err := webauthncbor.Marshal(map[string]any{"fmt": format, "attStmt": map[string]any{}, "authData": data})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("%C", encode([]byte(said)), "%O", encode(object), "%I", encode(key.id)).Replace(answer)
		kept, err := h.Factors.Register(alice, ceremony.State, text)
		if err != nil {
			return
		}
		var told clientData
		if err := json.Unmarshal([]byte(said), &told); err != nil || told.Type != "webauthn.create" ||
			told.Challenge != challenge || !isOurs(told.Origin) {
			t.Fatalf("the client data %q is accepted (%v)", said, err)
		}
		const all = present | userVerified | attested
		if len(data) < 55 || !bytes.Equal(data[:32], party[:]) || data[32]&all != all {
			t.Fatalf("the authenticator data %x is accepted", data)
		}
		if !bytes.Contains(data, kept.CredentialID) || len(kept.CredentialID) == 0 || !bytes.Contains(data, kept.PublicKey) ||
			kept.UserID != alice.ID || kept.AAGUID == uuid.Nil && !bytes.Equal(data[37:53], make([]byte, 16)) {
			t.Fatalf("of %x is kept %+v", data, kept)
		}
		if _, err := webauthncose.ParsePublicKey(kept.PublicKey); err != nil {
			t.Fatalf("the key %x is kept, which nothing verifies: %v", kept.PublicKey, err)
		}
		for _, name := range kept.Transports {
			if !transport.MatchString(name) {
				t.Fatalf("the transport %q is kept", name)
			}
		}
		if len(kept.Transports) > 10 || bytes.Contains(kept.Attestation, []byte(`\u0000`)) ||
			strings.Contains(kept.AttestationFormat, "\x00") {
			t.Fatalf("what is kept: %+v", kept)
		}
		if _, err := h.Factors.Register(alice, ceremony.State[1:], text); err == nil {
			t.Fatal("a changed state is accepted")
		}
	})
}
