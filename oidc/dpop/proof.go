// Package dpop finds out whether who sends a request holds a key, so that tokens can be bound to it: demonstrating
// proof of possession, RFC 9449. Begin with Verifier.
package dpop

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// Algs are the signatures that proofs may have: asymmetric ones, and none that is weak (RFC 9449, section 11.6).
var Algs = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.PS256}

// The header of a proof, its typ, and the codes of the errors: RFC 9449, sections 4.1, 4.2, 5 and 8.
const (
	Header    = "DPoP"
	Type      = "dpop+jwt"
	CodeProof = "invalid_dpop_proof"
	CodeNonce = "use_dpop_nonce"
)

const (
	// maxAge is how far the time of a proof may be from ours, in either direction.
	maxAge    = time.Minute
	maxProof  = 8 << 10 // bytes
	maxID     = 128     // bytes of a jti
	maxRSABit = 4096    // bits of a key, for a longer one would be costly to verify
)

// Verifier reads the proofs of requests.
type Verifier struct{ *oidc.Provider }

// Proof is what a request has shown that its sender holds.
type Proof struct {
	Thumbprint string // of the key: RFC 7638, by SHA-256, in base64url
	NextNonce  string // what the client has to use from now on; empty: what it has used, or none
	mark       *storage.OneTimeMark
}

// Demand is what a proof must show besides.
type Demand struct {
	Token string // the access token that comes with it (section 4.3); empty: none does
	Nonce bool   // that it was made just now: section 8
}

// claims are those of a proof: section 4.2.
type claims struct {
	ID       string   `json:"jti"`
	Method   string   `json:"htm"`
	URI      string   `json:"htu"`
	IssuedAt *float64 `json:"iat"`
	Token    string   `json:"ath"`
	Nonce    string   `json:"nonce"`
}

// Read verifies the proof of a request: section 4.3. It returns nil where the request has none, and an *oidc.Error
// where the proof is not good, or lacks a nonce that is demanded. The proof counts once: see Use.
func (v Verifier) Read(r oidc.Request, demand Demand) (*Proof, error) {
	sent := r.Header.Values(Header)
	if len(sent) == 0 {
		return nil, nil
	}
	if len(sent) > 1 || len(sent[0]) > maxProof {
		return nil, invalid("The header DPoP must hold one proof.")
	}
	signed, err := jose.ParseSignedCompact(sent[0], Algs)
	if err != nil {
		return nil, invalid("The DPoP proof is not a JWT signed with one of " + algNames() + ".")
	}
	header := signed.Signatures[0].Protected
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != Type {
		return nil, invalid("The typ of the DPoP proof must be " + Type + ".")
	}
	key := header.JSONWebKey
	if key == nil || !key.Valid() || !key.IsPublic() || !fits(key.Key, header.Algorithm) {
		return nil, invalid("The DPoP proof must hold the public key that verifies it, as jwk.")
	}
	payload, err := signed.Verify(key)
	if err != nil {
		return nil, invalid("The signature of the DPoP proof does not fit its key.")
	}
	var said claims
	if err := json.Unmarshal(payload, &said); err != nil {
		return nil, invalid("The claims of the DPoP proof are malformed.")
	}
	if err := v.check(said, r, demand.Token); err != nil {
		return nil, err
	}
	digest, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, invalid("The key of the DPoP proof is of no kind that we know.")
	}
	proof := &Proof{Thumbprint: base64.RawURLEncoding.EncodeToString(digest)}
	return proof, v.date(proof, said, demand.Nonce)
}

// Use has a proof count, once for all replicas. It returns an *oidc.Error where it was used before.
func (v Verifier) Use(ctx context.Context, proof *Proof) error {
	if proof == nil {
		return nil
	}
	err := v.Database.Mark(ctx, proof.mark)
	if errors.Is(err, storage.ErrUsedBefore) {
		return invalid("The DPoP proof was used before: its jti must be new each time.")
	} else if err != nil {
		return oidc.ServerError(err)
	}
	return nil
}

// Is tells whether a request has proved that key. The proof may be nil.
func (p *Proof) Is(thumbprint string) bool { return p != nil && p.Thumbprint == thumbprint }

// check compares what a proof says with the request that it came with. It is good for no other.
func (v Verifier) check(said claims, r oidc.Request, token string) error {
	switch {
	case said.ID == "" || len(said.ID) > maxID || oidc.CheckText(said.ID) != nil:
		return invalid(fmt.Sprintf("The DPoP proof needs a jti of %d bytes at the most.", maxID))
	case said.Method != r.Method:
		return invalid("The htm of the DPoP proof must be " + r.Method + ".")
	case !v.isAt(said.URI, r.Path):
		return invalid("The htu of the DPoP proof must be " + v.Issuer + r.Path + ".")
	case said.IssuedAt == nil || math.Abs(*said.IssuedAt) > 1e12:
		return invalid("The DPoP proof needs iat, in seconds.")
	case token != "" && said.Token != base64.RawURLEncoding.EncodeToString(storage.Digest(token)):
		return invalid("The ath of the DPoP proof must be the SHA-256 digest of the access token, in base64url.")
	}
	return nil
}

// isAt tells whether a URI is the address of this server with that path, whatever its query and fragment: section 4.3.
// The address is the issuer's, never that which the request names.
func (v Verifier) isAt(uri, path string) bool {
	at, err := url.Parse(uri)
	if err != nil || at.Host == "" || at.User != nil || at.EscapedPath() != path {
		return false
	}
	own, err := url.Parse(v.Issuer)
	return err == nil && strings.EqualFold(at.Scheme, own.Scheme) && strings.EqualFold(at.Hostname(), own.Hostname()) &&
		portOf(at) == portOf(own)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
}

// date checks that a proof was made just now: by its iat, or by a nonce of ours where one is demanded, for then the
// clock of the client does not matter (section 11.3).
func (v Verifier) date(proof *Proof, said claims, nonce bool) error {
	now := v.Now()
	made := time.Unix(int64(*said.IssuedAt), 0)
	if nonce {
		age, known := v.ageOf(said.Nonce, now)
		if !known {
			return v.wantNonce(now)
		}
		if age > 0 {
			proof.NextNonce = v.nonceOf(now)
		}
		made = now
	}
	if off := now.Sub(made); off.Abs() > maxAge {
		return invalid("The DPoP proof was not made just now: its iat is too old, or in the future.")
	}
	// For as long as it could be taken: until its time or its nonce has passed.
	until := now.Add(maxAge + nonceSteps*nonceStep)
	proof.mark = storage.NewOneTimeMark("DPoP proof", proof.Thumbprint+" "+said.ID, until)
	return nil
}

// fits tells whether a key is of the kind that an algorithm takes: go-jose does not ask for the curve.
func fits(key any, alg string) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return alg == string(jose.ES256) && key.Curve == elliptic.P256()
	case *rsa.PublicKey:
		return alg == string(jose.PS256) && key.N.BitLen() >= 2048 && key.N.BitLen() <= maxRSABit
	}
	return alg == string(jose.EdDSA)
}

func invalid(description string) error {
	return &oidc.Error{Code: CodeProof, Description: description, Status: http.StatusBadRequest}
}

// Missing is the error of a request that needs a proof and has none.
func Missing() *oidc.Error {
	return &oidc.Error{
		Code: CodeProof, Status: http.StatusBadRequest,
		Description: "The tokens of this client are bound to a key of its own: send a proof of it in the header DPoP (RFC 9449).",
	}
}

func algNames() string {
	names := make([]string, len(Algs))
	for i, alg := range Algs {
		names[i] = string(alg)
	}
	return strings.Join(names, " ")
}

// Challenge is a challenge of the scheme DPoP for the header WWW-Authenticate: section 7.1. code is empty where a
// request shows nothing.
func Challenge(code string) string {
	if code == "" {
		return `DPoP algs="` + algNames() + `"`
	}
	return `DPoP error="` + code + `", algs="` + algNames() + `"`
}
