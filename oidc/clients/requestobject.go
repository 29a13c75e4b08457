package clients

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc/keys"
)

// AlgNone is what a client is registered with as request_object_signing_alg whose request objects are not signed.
const AlgNone = "none"

// requestObjectTypes are what a request object may say of itself, in lower case: RFC 9101, section 10.8. A JWT that was
// made for something else says so, and is refused.
var requestObjectTypes = []string{"", "jwt", "oauth-authz-req+jwt"}

// OpenRequestObject returns the claims of a request object, as JSON, and whether the client has signed it: RFC 9101,
// section 6. The algorithm must be the one that the client is registered for, if it is for one. An object may be
// encrypted for us where the client is registered for that, and what was encrypted is held to all the rest: it is
// signed by the client. The error says what is wrong, to the developer of the client.
func (p *Store) OpenRequestObject(
	ctx context.Context, client *Client, object string,
) (payload []byte, signed bool, err error) {
	encrypted := strings.Count(object, ".") == 4
	if encrypted {
		if object, err = decryptRequest(ctx, p.Keys, client, object); err != nil {
			return nil, false, err
		}
	}
	parts := strings.Split(object, ".")
	header, err := jwtHeader(parts)
	if err != nil {
		return nil, false, err
	}
	if kind := strings.TrimPrefix(strings.ToLower(header["typ"]), "application/"); !slices.Contains(
		requestObjectTypes, kind,
	) {
		return nil, false, errors.New("its typ is that of another kind of JWT")
	}
	switch registered := client.RequestObjectAlg; {
	case registered != "" && header["alg"] != registered:
		return nil, false, errors.New("its algorithm is not the one that this client is registered for")
	case header["alg"] == AlgNone && (registered != AlgNone || encrypted):
		return nil, false, errors.New("it is not signed")
	case header["alg"] == AlgNone:
		payload, err = base64.RawURLEncoding.Strict().DecodeString(parts[1])
		if _, critical := header["crit"]; err != nil || parts[2] != "" || critical {
			return nil, false, errors.New("it is not a JWT without a signature")
		}
		return payload, false, nil
	}
	keys, err := p.keySet(client)
	if err != nil {
		return nil, false, errors.New("this client has registered no keys that could verify it")
	}
	if payload, err = keys.VerifySignature(ctx, object); err != nil {
		return nil, false, errors.New("its signature is not one of this client's keys, or not of an algorithm that we accept")
	}
	return payload, true, nil
}

// decryptRequest returns what a client has encrypted for us.
func decryptRequest(ctx context.Context, keys *keys.Keys, client *Client, object string) (string, error) {
	how := client.RequestEncryption
	if how.Alg == "" {
		return "", errors.New("it is encrypted, and this client is not registered with a request_object_encryption_alg")
	}
	content, err := keys.Decrypt(ctx, object, jose.KeyAlgorithm(how.Alg), jose.ContentEncryption(how.Enc))
	return string(content), err
}

// jwtHeader reads the texts in the header of a JWT that is cut into its parts; what is no text there is present and
// empty.
func jwtHeader(parts []string) (map[string]string, error) {
	malformed := errors.New("it is not a JWT")
	if len(parts) != 3 {
		return nil, malformed
	}
	encoded, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return nil, malformed
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(encoded, &members); err != nil || members == nil {
		return nil, malformed
	}
	header := make(map[string]string, len(members))
	for name, value := range members {
		var text string
		if err := json.Unmarshal(value, &text); err != nil && (name == "alg" || name == "typ") {
			return nil, malformed
		}
		header[name] = text
	}
	return header, nil
}
