package authorize

import (
	"slices"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
)

// What apps and the operator want to be sure of comes down to one authentication context class that the session must
// reach: each asks for one of several, of which the weakest will do, and together they ask for the strongest of these.

// assure says what has to happen for the session to assure what is wanted, or nil where it does. The app's
// registration, the operator's rule for the person and an essential claim (OpenID Connect Core, section 5.5.1.1) demand
// it. A class that was asked for and is not essential is worth a second step, if the person can do one; it keeps nobody
// out (section 3.1.2.1; RFC 9470, section 5).
func assure(a *Request, v Visitor) *Decision {
	essential := weakest(a.EssentialACR)
	if essential == "" && len(a.EssentialACR) > 0 {
		refusal := refuse(
			errUnmetRequirements, "None of the authentication context classes that are essential here is known.",
		)
		return &refusal
	}
	demanded := strongest(a.Client.RequiredACR, v.RequiredACR, essential)
	reach := v.Session.User.StrongestACR()
	if demanded != "" && !identity.Assures(reach, demanded) && !identity.Assures(v.Session.ACR, demanded) {
		return &Decision{Step: Enrol, ACR: demanded}
	}
	wanted := demanded
	if wish := weakest(a.ACRValues); !a.SteppedUp && identity.Assures(reach, wish) {
		wanted = strongest(demanded, wish)
	}
	if wanted != "" && !identity.Assures(v.Session.ACR, wanted) {
		return &Decision{Step: StepUp, ACR: wanted}
	}
	return nil
}

// errUnmetRequirements is the error of OpenID Connect Core Error Code unmet_authentication_requirements, which RFC 9470
// uses.
const errUnmetRequirements = "unmet_authentication_requirements"

// ErrUnmet tells an app that the person did not, or could not, sign in as strongly as was demanded.
var ErrUnmet = (&oidc.Error{Code: errUnmetRequirements, Description: "The person did not show a second factor."}).
	Because(oidc.UnmetAssurance, nil)

// weakest returns the weakest of the classes that Wicket knows; empty where it knows none.
func weakest(classes []string) string {
	for _, class := range identity.ACRs {
		if slices.Contains(classes, class) {
			return class
		}
	}
	return ""
}

// strongest returns the strongest of the classes; empty ones do not count.
func strongest(classes ...string) string {
	for _, class := range slices.Backward(identity.ACRs) {
		if slices.Contains(classes, class) {
			return class
		}
	}
	return ""
}

// claimedACR is the class that the app is told: the first that it asked for and that the session assures, so that it
// need not know which are stronger; or the session's own.
func claimedACR(a *Request, session *identity.Session) string {
	for _, wanted := range slices.Concat(a.EssentialACR, a.ACRValues) {
		if identity.Assures(session.ACR, wanted) {
			return wanted
		}
	}
	return session.ACR
}
