package tokens_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/tokens"
)

// alice has told everything of herself.
func alice() *tokens.Person {
	at := time.Unix(1_700_000_000, 123_000)
	return &tokens.Person{
		Profile: profile.Profile{
			Name: "Alice Example", GivenName: "Alice", FamilyName: "Example", MiddleName: "B.", Nickname: "ali",
			Profile: "https://example.com/alice", Picture: "https://example.com/alice.png", Website: "https://alice.example/",
			Gender: "female", Birthdate: "0000-02-29", Zoneinfo: "Europe/Zurich", Locale: "de-CH",
			Address: &profile.Address{Locality: "Zürich", Country: "CH"}, ModifiedAt: at,
		},
		Username: "alice", Email: "alice@example.com", EmailVerifiedAt: &at, Phone: "+41441234567",
		Roles: []string{"editor", "admin"}, Groups: []string{"staff", "admins"}, GroupsClaim: "groups",
	}
}

func TestClaimsOfAPerson(t *testing.T) {
	all := []string{"openid", "profile", "email", "phone", "address", "roles", "groups", "offline_access"}
	named := func(name string, values ...string) oidc.NamedClaims { return oidc.NamedClaims{name: values} }
	for name, c := range map[string]struct {
		who    *tokens.Person
		scopes []string
		named  oidc.NamedClaims
		want   string // names, in order
	}{
		"nothing":                      {alice(), nil, nil, ""},
		"who it is alone":              {alice(), []string{"openid", "offline_access", "of-an-api"}, nil, ""},
		"e-mail":                       {alice(), []string{"openid", "email"}, nil, "email email_verified"},
		"phone":                        {alice(), []string{"phone"}, nil, "phone_number phone_number_verified"},
		"address and roles":            {alice(), []string{"roles", "address"}, nil, "address roles"},
		"nothing told":                 {&tokens.Person{}, all, nil, ""},
		"no roles, but read":           {&tokens.Person{Roles: []string{}}, []string{"roles"}, nil, "roles"},
		"groups":                       {alice(), []string{"groups"}, nil, "groups"},
		"no groups, but read":          {&tokens.Person{Groups: []string{}, GroupsClaim: "groups"}, []string{"groups"}, nil, "groups"},
		"the groups that are wanted":   {alice(), nil, named("groups", `["admins","staff"]`), "groups"},
		"other groups than wanted":     {alice(), nil, named("groups", `["staff"]`), ""},
		"by name":                      {alice(), []string{"openid"}, named("birthdate"), "birthdate"},
		"by name, not told":            {&tokens.Person{}, []string{"openid"}, named("birthdate"), ""},
		"by name, beside its scope":    {alice(), []string{"email"}, named("email"), "email email_verified"},
		"with the right value":         {alice(), nil, named("email", `"alice@example.com"`), "email"},
		"with one of several":          {alice(), nil, named("email", `"x"`, `"alice@example.com"`), "email"},
		"with another value":           {alice(), nil, named("email", `"x"`), ""},
		"another value than the scope": {alice(), []string{"email"}, named("email", `"x"`), "email_verified"},
		"the value of a truth":         {alice(), nil, named("email_verified", "true"), "email_verified"},
		"of another type":              {alice(), nil, named("email_verified", `"true"`), ""},
		"the value of a number":        {alice(), nil, named("updated_at", "1700000000"), "updated_at"},
		"the value of an object":       {alice(), nil, named("address", `{"country":"CH","locality":"Zürich"}`), "address"},
		"the value of a list":          {alice(), nil, named("roles", `["admin","editor"]`), "roles"},
		"not even null":                {alice(), nil, named("email", "null"), ""},
	} {
		claims := c.who.Claims(c.scopes, c.named)
		if got := strings.Join(slices.Sorted(maps.Keys(claims)), " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	told := alice().Claims(all, nil)
	for _, scope := range oidc.Scopes[1:] {
		for _, claim := range scope.Claims {
			if told[claim] == nil {
				t.Errorf("%s is not told", claim)
			}
		}
	}
}
