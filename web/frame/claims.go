package frame

import (
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// ClaimView is a claim that an app asks for by name, in words.
func ClaimView(language *locales.Language, name string) pages.Claim {
	return pages.Claim{Name: name, Title: language.Text(claimWords[name])}
}

// claimWords say what the claims about a person mean: those that the scopes of oidc.Scopes give, but sub.
var claimWords = map[string]locales.Key{
	"name":                  locales.Key("claim.name"),
	"given_name":            locales.Key("claim.given_name"),
	"family_name":           locales.Key("claim.family_name"),
	"middle_name":           locales.Key("claim.middle_name"),
	"nickname":              locales.Key("claim.nickname"),
	"preferred_username":    locales.Key("claim.preferred_username"),
	"profile":               locales.Key("claim.profile"),
	"picture":               locales.Key("claim.picture"),
	"website":               locales.Key("claim.website"),
	"gender":                locales.Key("claim.gender"),
	"birthdate":             locales.Key("claim.birthdate"),
	"zoneinfo":              locales.Key("claim.zoneinfo"),
	"locale":                locales.Key("claim.locale"),
	"updated_at":            locales.Key("claim.updated_at"),
	"email":                 locales.Key("claim.email"),
	"email_verified":        locales.Key("claim.email_verified"),
	"phone_number":          locales.Key("claim.phone_number"),
	"phone_number_verified": locales.Key("claim.phone_number_verified"),
	"address":               locales.Key("claim.address"),
	"roles":                 locales.Key("claim.roles"),
	"groups":                locales.Key("claim.groups"),
}
