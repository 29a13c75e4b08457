package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/oidc"
)

// claimRequest asks for one claim: OpenID Connect Core, section 5.5.1.
type claimRequest struct {
	essential bool
	values    []json.RawMessage // of which one is wanted, the best first; none: any will do
}

// What can be wrong with the parameter claims.
var (
	errClaims   = errors.New("it does not have the form of section 5.5")
	errSubjects = errors.New("two people are expected")
)

// readClaims takes the parameter claims, where there is one: which sign-in the app wants and whose, and what it wants
// to know of the person besides what scopes give. OpenID Connect Core, section 5.5.
func readClaims(_ context.Context, _ *Service, a *Request) *oidc.Error {
	text := a.form.Get("claims")
	if text == "" {
		return nil
	}
	userinfo, idToken, err := parseClaims(text)
	err = errors.Join(
		err, a.readACR(idToken["acr"]), a.expectSubject(userinfo["sub"]), a.expectSubject(idToken["sub"]),
	)
	switch {
	case errors.Is(err, errClaims):
		return oidc.InvalidRequest("claims must be a JSON object as in OpenID Connect Core, section 5.5.")
	case err != nil:
		return oidc.InvalidRequest("claims and id_token_hint name different people.")
	}
	if slices.Contains(a.Scopes, "openid") {
		for _, asked := range []map[string]claimRequest{userinfo, idToken} {
			renameGroups(asked, a.Client.GroupsClaim)
		}
		request := oidc.ClaimsRequest{
			Userinfo: namedClaims(userinfo, a.Client.Scopes), IDToken: namedClaims(idToken, a.Client.Scopes),
		}
		a.Claims = request.Only(request.Names())
	}
	return nil
}

// renameGroups puts what is asked of the claim that the client calls by that name where the one for groups is looked
// for, which means nothing to it.
func renameGroups(asked map[string]claimRequest, name string) {
	if name == oidc.GroupsClaim {
		return
	}
	delete(asked, oidc.GroupsClaim)
	if request, given := asked[name]; given {
		asked[oidc.GroupsClaim] = request
	}
}

// readACR takes the authentication context classes of which one is wanted: section 5.5.1.1.
func (a *Request) readACR(request claimRequest) error {
	classes, err := request.texts()
	if request.essential {
		a.EssentialACR = classes
	} else {
		a.ACRValues = append(a.ACRValues, classes...)
	}
	return err
}

// expectSubject takes whom the app wants to sign in; nobody else will do. It returns errSubjects where somebody else is
// expected already.
func (a *Request) expectSubject(request claimRequest) error {
	subjects, err := request.texts()
	switch {
	case err != nil || len(subjects) == 0:
		return err
	case a.HintSubject == "":
		a.HintSubject = subjects[0]
	case !slices.Contains(subjects, a.HintSubject):
		return errSubjects
	}
	a.AsksSubject = true
	return nil
}

// namedClaims are those of the claims asked for that are about the person and that one of the scopes could give: a
// client may be told of nothing but what it is registered for, in whatever way it asks. Others are ignored. What is
// asked for in a language is answered in the one that there is (section 5.2).
func namedClaims(asked map[string]claimRequest, scopes []string) oidc.NamedClaims {
	named := make(oidc.NamedClaims)
	for _, tagged := range slices.Sorted(maps.Keys(asked)) { // name before name#de
		name, _, _ := strings.Cut(tagged, "#")
		if _, before := named[name]; before || !slices.Contains(scopes, oidc.ScopeOf(name)) {
			continue
		}
		values := []string{}
		for _, value := range asked[tagged].values {
			canonical, err := oidc.CanonicalJSON(value)
			if err != nil || strings.Contains(canonical, `\u0000`) { // which PostgreSQL does not keep
				canonical = "null" // no more told of anybody than the value was
			}
			values = append(values, canonical)
		}
		named[name] = values
	}
	return named
}

// texts are the values that are wanted, of a claim that is a text.
func (c claimRequest) texts() ([]string, error) {
	texts := make([]string, 0, len(c.values))
	for _, value := range c.values {
		var text *string
		if err := json.Unmarshal(value, &text); err != nil || text == nil || *text == "" {
			return nil, errClaims
		}
		texts = append(texts, *text)
	}
	return texts, nil
}

// parseClaims reads the parameter claims: what is asked for in userinfo and in the ID token. Members that the
// specification does not know are ignored, as it demands; names are compared exactly.
func parseClaims(text string) (userinfo, idToken map[string]claimRequest, err error) {
	var root map[string]json.RawMessage
	if err := readObject([]byte(text), &root); err != nil {
		return nil, nil, err
	}
	for name, into := range map[string]*map[string]claimRequest{"userinfo": &userinfo, "id_token": &idToken} {
		encoded, given := root[name]
		if !given {
			continue
		}
		var members map[string]json.RawMessage
		if err := readObject(encoded, &members); err != nil {
			return nil, nil, err
		}
		*into = make(map[string]claimRequest, len(members))
		for claim, encoded := range members {
			if (*into)[claim], err = parseClaim(encoded); err != nil {
				return nil, nil, err
			}
		}
	}
	return userinfo, idToken, nil
}

// parseClaim reads what is asked of one claim: null, or an object. A member of it that is null counts as left out.
func parseClaim(encoded json.RawMessage) (request claimRequest, err error) {
	if string(encoded) == "null" {
		return request, nil
	}
	var members map[string]json.RawMessage
	if err := readObject(encoded, &members); err != nil {
		return request, err
	}
	maps.DeleteFunc(members, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	if essential, given := members["essential"]; given && json.Unmarshal(essential, &request.essential) != nil {
		return request, errClaims
	}
	if values, given := members["values"]; given && json.Unmarshal(values, &request.values) != nil {
		return request, errClaims
	}
	if value, given := members["value"]; given {
		request.values = slices.Insert(request.values, 0, value)
	}
	return request, nil
}

// readObject reads a JSON object; nothing else will do.
func readObject(encoded []byte, members *map[string]json.RawMessage) error {
	if err := json.Unmarshal(encoded, members); err != nil || *members == nil {
		return errClaims
	}
	return nil
}
