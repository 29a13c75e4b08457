package sampleapp

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"
)

// claim is one line of a token or answer, for people.
type claim struct {
	Name  string
	Value string
	Note  string // what the value is in plain words: a time
	Means string // what the name stands for
}

// claims lists the members of a JSON object in the order in which the issuer wrote them; nothing if it is none.
func claims(object []byte) []claim {
	var list []claim
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return list
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return list
		}
		list = append(list, newClaim(name.(string), value))
	}
	return list
}

func newClaim(name string, value json.RawMessage) claim {
	c := claim{Name: name, Value: string(value), Means: meanings[name]}
	var text string
	var at int64
	switch {
	case json.Unmarshal(value, &text) == nil:
		c.Value = text
	case times[name] && json.Unmarshal(value, &at) == nil:
		c.Note = clock(time.Unix(at, 0))
	}
	return c
}

// jwt splits a JWT into header and claims without verifying it: enough to show it. ok is false for an opaque token.
func jwt(token string) (header, payload []byte, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return nil, nil, false
	}
	payload, err = base64.RawURLEncoding.DecodeString(parts[1])
	return header, payload, err == nil && json.Valid(header) && json.Valid(payload)
}

// fingerprint lets people see that a secret has changed without showing any of it.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}

func clock(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

var times = map[string]bool{"exp": true, "iat": true, "nbf": true, "auth_time": true, "updated_at": true}

var meanings = map[string]string{
	"iss":       "who says so",
	"sub":       "who it is: this id never changes, so store this one",
	"aud":       "for whom it is meant",
	"azp":       "which app asked for it",
	"client_id": "which app asked for it",
	"exp":       "not valid from then on",
	"nbf":       "not valid before",
	"iat":       "written at",
	"auth_time": "when the person last proved who they are",
	"nonce":     "ties the token to this one sign-in",
	"acr":       "how sure Wicket is",
	"amr":       "how they proved it",
	"at_hash":   "ties the access token to this ID token",
	"c_hash":    "ties the code to this ID token",
	"sid":       "the session at Wicket; it ends with it",
	"jti":       "the id of this token",
	"scope":     "what the app may do with it",
	"alg":       "how it is signed",
	"typ":       "what kind of token it is",
	"kid":       "with which of the keys in the JWKS",

	"name":                  "scope profile",
	"given_name":            "scope profile",
	"family_name":           "scope profile",
	"middle_name":           "scope profile",
	"nickname":              "scope profile",
	"preferred_username":    "scope profile; may change, so do not key on it",
	"profile":               "scope profile",
	"picture":               "scope profile",
	"website":               "scope profile",
	"gender":                "scope profile",
	"birthdate":             "scope profile",
	"zoneinfo":              "scope profile",
	"locale":                "scope profile",
	"updated_at":            "scope profile",
	"email":                 "scope email",
	"email_verified":        "scope email; trust the address only if true",
	"phone_number":          "scope phone",
	"phone_number_verified": "scope phone",
	"address":               "scope address",
}
