package requestobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// skew is by how much the clock of a client may differ from ours.
const skew = 30 * time.Second

// members reads the members of a JSON object.
func members(payload []byte) (map[string]json.RawMessage, error) {
	var found map[string]json.RawMessage
	if err := json.Unmarshal(payload, &found); err != nil || found == nil {
		return nil, errors.New("its claims are not a JSON object")
	}
	return found, nil
}

// check says what is wrong with the claims of a request object of a client: RFC 9101, sections 4, 6.1 and 10.8.
// Who the issuer is, for whom it is and when it is good may be left out.
func check(inside map[string]json.RawMessage, payload []byte, issuer, clientID string, now time.Time) error {
	var claims struct {
		jwt.Claims
		ClientID *string `json:"client_id"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return errors.New("a claim is of the wrong type")
	}
	for _, name := range []string{"request", "request_uri"} {
		if _, nested := inside[name]; nested {
			return fmt.Errorf("it holds a %s itself", name)
		}
	}
	switch {
	case claims.ClientID != nil && *claims.ClientID != clientID:
		return errors.New("the client_id inside is another one")
	case claims.Issuer != "" && claims.Issuer != clientID:
		return errors.New("iss must be the client_id")
	case len(claims.Audience) > 0 && !slices.Contains(claims.Audience, issuer):
		return fmt.Errorf("aud must be %s", issuer)
	case claims.Subject == clientID: // it could pass for a client assertion elsewhere
		return errors.New("sub must not be the client_id")
	case claims.ValidateWithLeeway(jwt.Expected{Time: now}, skew) != nil:
		return errors.New("it has expired, or is not valid yet")
	}
	return nil
}

// What the members of a request object are, besides parameters that are texts.
var (
	about          = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id"} // not parameters
	jsonParameters = []string{"claims", "authorization_details", "registration"}
	textParameters = []string{
		"response_type", "response_mode", "redirect_uri", "scope", "state", "nonce", "display", "prompt", "ui_locales",
		"claims_locales", "id_token_hint", "login_hint", "acr_values", "code_challenge", "code_challenge_method", "dpop_jkt",
	}
)

// parameters are the members of a request object as a form would have them: RFC 9101, section 4. What is left
// empty is absent; what Wicket does not know and is no text or number is passed over.
func parameters(inside map[string]json.RawMessage) (url.Values, error) {
	form := url.Values{}
	for name, value := range inside {
		if slices.Contains(about, name) {
			continue
		}
		texts, err := parameterTexts(name, value)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			if text != "" {
				form.Add(name, text)
			}
		}
	}
	return form, nil
}

// parameterTexts are the values of one parameter, which JSON gives by its type.
func parameterTexts(name string, value json.RawMessage) ([]string, error) {
	var text string
	var texts []string
	switch {
	case string(value) == "null":
		return nil, nil
	case json.Unmarshal(value, &text) == nil:
		return []string{text}, nil
	case name == "resource" && json.Unmarshal(value, &texts) == nil: // RFC 8707: it may be given several times
		return texts, nil
	case slices.Contains(jsonParameters, name):
		var compact bytes.Buffer
		err := json.Compact(&compact, value)
		return []string{compact.String()}, err
	case name == "resource", slices.Contains(textParameters, name):
		return nil, fmt.Errorf("%s must be a string", name)
	case value[0] == '{', value[0] == '[':
		return nil, nil
	}
	return []string{string(value)}, nil // a number, such as max_age; or a truth value
}
