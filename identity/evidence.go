package identity

import (
	"slices"

	"github.com/google/uuid"
)

// Evidence is how a person has proved who they are, as apps are told of it.
type Evidence struct {
	AMR []string // authentication method references: RFC 8176
	ACR string   // authentication context class reference: one of the constants below

	FactorID uuid.UUID       // the passkey, security key or app that was shown; uuid.Nil: none was
	External *ExternalOrigin // where the person came from, where that is a provider upstream
}

// The authentication context classes, the weakest first. Whoever asks for one is served by a stronger one too: see
// Assures.
const (
	ACRFederated   = "urn:wicket:acr:federated" // the word of a provider upstream, which is as good as a password
	ACRPassword    = "urn:wicket:acr:password"  // one factor: a password
	ACRMultiFactor = "urn:wicket:acr:mfa"       // two factors of different kinds
	// and no look-alike site can use what was shown: OpenID EAP ACR Values, section 3
	ACRPhishingResistant = "phr"
)

// ACRs lists the authentication context classes, the weakest first.
var ACRs = []string{ACRFederated, ACRPassword, ACRMultiFactor, ACRPhishingResistant}

// level is how much a class assures: classes of one level serve for each other. A class that Wicket does not know has
// none.
func level(acr string) int {
	if acr == ACRFederated {
		acr = ACRPassword
	}
	return slices.Index(ACRs, acr)
}

// Assures tells whether a sign-in of class acr is as good as one of class wanted. A class that Wicket does not know
// assures nothing and is assured by nothing.
func Assures(acr, wanted string) bool {
	return level(wanted) >= 0 && level(acr) >= level(wanted)
}

// StrongestACR is the strongest authentication context class that a person can reach with the factors that they have.
func (u *User) StrongestACR() string {
	switch {
	case u.HasWebAuthn:
		return ACRPhishingResistant
	case u.TwoFactor:
		return ACRMultiFactor
	}
	return ACRPassword
}

// PasswordEvidence is what a password alone proves.
var PasswordEvidence = Evidence{AMR: []string{"pwd"}, ACR: ACRPassword}

// With is the evidence of two steps, one after the other, by factors of different kinds.
func (e Evidence) With(second Evidence) Evidence {
	both := Evidence{AMR: slices.Clone(e.AMR), ACR: ACRMultiFactor, External: e.External, FactorID: e.FactorID}
	if both.FactorID == uuid.Nil {
		both.FactorID = second.FactorID
	}
	for _, method := range append(slices.Clone(second.AMR), "mfa") {
		if !slices.Contains(both.AMR, method) {
			both.AMR = append(both.AMR, method)
		}
	}
	for _, acr := range []string{e.ACR, second.ACR} {
		if Assures(acr, both.ACR) {
			both.ACR = acr
		}
	}
	return both
}
