package harness

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage"
)

// Passkey is a passkey without a browser, whose counter stays at zero, as that of most does.
type Passkey struct {
	private  *ecdsa.PrivateKey
	id       []byte
	userID   uuid.UUID
	rp       string
	audience string
}

// AddPasskey gives the server's user a passkey.
func (h *Server) AddPasskey(t testing.TB) *Passkey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	public, err := webauthncbor.Marshal(webauthncose.EC2PublicKeyData{
		PublicKeyData: webauthncose.PublicKeyData{
			KeyType: int64(webauthncose.EllipticKey), Algorithm: int64(webauthncose.AlgES256),
		},
		Curve: int64(webauthncose.P256), XCoord: point[1:33], YCoord: point[33:],
	})
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := url.Parse(h.Config().Issuer)
	if err != nil {
		t.Fatal(err)
	}
	p := &Passkey{
		private: private, id: []byte(rand.Text()), userID: h.User.ID, rp: issuer.Hostname(), audience: h.Config().Issuer,
	}
	h.SQL(t, `INSERT INTO passkeys (id, user_id, name, rp_id, credential_id, public_key, aaguid, transports, flags,
			sign_count, attestation_type, attestation_format, attestation, created_at)
		VALUES (?, ?, 'Passkey', ?, ?, ?, ?, '[]', ?, 0, 'none', 'none', '{}', ?)`,
		storage.NewID(), p.userID, p.rp, p.id, public, uuid.Nil, userVerified, h.User.CreatedAt)
	h.SQL(t, "UPDATE users SET has_webauthn = TRUE WHERE id = ?", p.userID)
	return p
}

// userVerified are the flags of an authenticator that somebody has touched and that has verified who.
const userVerified = 0x05

var (
	challengeAsked = regexp.MustCompile(`"challenge":"([^"]+)"`)
	stateAsked     = regexp.MustCompile(`name="state" value="([^"]*)"`)
)

// Show is the form by which a browser signs in with the passkey, at /sign-in/passkey.
func (p *Passkey) Show(t testing.TB, b *Browser) url.Values {
	t.Helper()
	page := b.Get(t, "/sign-in?switch=1")
	challenge := challengeAsked.FindStringSubmatch(html.UnescapeString(page.Text))
	state := stateAsked.FindStringSubmatch(page.Text)
	if challenge == nil || state == nil {
		t.Fatalf("no question:\n%s", page.Text)
	}
	return url.Values{"state": {state[1]}, "response": {p.Answer(t, challenge[1])}}
}

// Answer is what the passkey says to a question, as a browser sends it: Web Authentication, Level 3, section 6.3.3.
func (p *Passkey) Answer(t testing.TB, challenge string) string {
	t.Helper()
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": challenge, "origin": p.audience})
	if err != nil {
		t.Fatal(err)
	}
	party, said := sha256.Sum256([]byte(p.rp)), sha256.Sum256(client)
	data := append(party[:], userVerified, 0, 0, 0, 0)
	signed := sha256.Sum256(append(data[:len(data):len(data)], said[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, p.private, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	answer, err := json.Marshal(map[string]any{
		"id": text(p.id), "rawId": text(p.id), "type": "public-key",
		"response": map[string]any{
			"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature),
			"userHandle": text(p.userID[:]),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
