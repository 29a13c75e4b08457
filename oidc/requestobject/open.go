package requestobject

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/keys"
)

// types are what a request object may say of itself, in lower case: RFC 9101, section 10.8. A JWT that was
// made for something else says so, and is refused.
var types = []string{"", "jwt", "oauth-authz-req+jwt"}

// payload returns the claims of a request object, as JSON, and whether the client has signed it: RFC 9101, section 6.
// The algorithm must be the one that the client is registered for, if it is for one. An object may be encrypted for us
// where the client is registered for that, and what was encrypted is held to all the rest: it is signed by the client.
func (r *Reader) payload(
	ctx context.Context, client *clients.Client, object string,
) (payload []byte, signed bool, err error) {
	encrypted := strings.Count(object, ".") == 4
	if encrypted {
		if object, err = decrypt(ctx, r.clients.Keys, client, object); err != nil {
			return nil, false, err
		}
	}
	parts := strings.Split(object, ".")
	header, err := readHeader(parts)
	if err != nil {
		return nil, false, err
	}
	if kind := strings.TrimPrefix(strings.ToLower(header["typ"]), "application/"); !slices.Contains(
		types, kind,
	) {
		return nil, false, errors.New("its typ is that of another kind of JWT")
	}
	switch registered := client.RequestObjectAlg; {
	case registered != "" && header["alg"] != registered:
		return nil, false, errors.New("its algorithm is not the one that this client is registered for")
	case header["alg"] == clients.AlgNone && (registered != clients.AlgNone || encrypted):
		return nil, false, errors.New("it is not signed")
	case !clients.ProfileOf(client).Takes(header["alg"]):
		return nil, false, errors.New("its algorithm is not one that the profile of this client allows")
	case header["alg"] == clients.AlgNone:
		payload, err = base64.RawURLEncoding.Strict().DecodeString(parts[1])
		if _, critical := header["crit"]; err != nil || parts[2] != "" || critical {
			return nil, false, errors.New("it is not a JWT without a signature")
		}
		return payload, false, nil
	}
	if len(client.JWKS) == 0 && client.JWKSURI == "" {
		return nil, false, errors.New("this client has registered no keys that could verify it")
	}
	if payload, err = r.clients.VerifySignature(ctx, client, object); err != nil {
		return nil, false, errors.New("its signature is not one of this client's keys, or not of an algorithm that we accept")
	}
	return payload, true, nil
}

// decrypt returns what a client has encrypted for us.
func decrypt(ctx context.Context, keys *keys.Keys, client *clients.Client, object string) (string, error) {
	how := client.RequestEncryption
	if how.Alg == "" {
		return "", errors.New("it is encrypted, and this client is not registered with a request_object_encryption_alg")
	}
	content, err := keys.Decrypt(ctx, object, jose.KeyAlgorithm(how.Alg), jose.ContentEncryption(how.Enc))
	return string(content), err
}

// readHeader reads the texts in the header of a JWT that is cut into its parts; what is no text there is present and
// empty.
func readHeader(parts []string) (map[string]string, error) {
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
