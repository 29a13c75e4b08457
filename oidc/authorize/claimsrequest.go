package authorize

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/wicket-id/wicket/oidc"
)

// claimsRequest is what Wicket heeds of the parameter claims: which sign-in the app wants, and whose. OpenID Connect
// Core, section 5.5. Claims about the person are asked for by scope.
type claimsRequest struct {
	IDToken struct {
		ACR     *claimRequest `json:"acr"`
		Subject *claimRequest `json:"sub"`
	} `json:"id_token"`
}

// claimRequest asks for one claim: section 5.5.1.
type claimRequest struct {
	Essential bool     `json:"essential"`
	Value     string   `json:"value"`
	Values    []string `json:"values"`
}

func (c *claimRequest) accepted() []string {
	if c == nil {
		return nil
	}
	if c.Value != "" {
		return append([]string{c.Value}, c.Values...)
	}
	return c.Values
}

// readClaims takes the parameter claims, where there is one.
func readClaims(_ context.Context, _ *Service, a *Request) *oidc.Error {
	text := a.form.Get("claims")
	if text == "" {
		return nil
	}
	var request claimsRequest
	if err := json.Unmarshal([]byte(text), &request); err != nil {
		return oidc.InvalidRequest("claims must be a JSON object as in OpenID Connect Core, section 5.5.")
	}
	acr := request.IDToken.ACR
	if acr != nil && acr.Essential {
		a.EssentialACR = acr.accepted()
	} else {
		a.ACRValues = append(a.ACRValues, acr.accepted()...)
	}
	if subjects := request.IDToken.Subject.accepted(); len(subjects) > 0 {
		if a.HintSubject != "" && !slices.Contains(subjects, a.HintSubject) {
			return oidc.InvalidRequest("claims and id_token_hint name different people.")
		}
		a.HintSubject, a.AsksSubject = subjects[0], true
	}
	return nil
}
