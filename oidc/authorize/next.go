package authorize

import (
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Step is what has to happen next for an authorization request.
type Step int

// The steps. After each but the last two the browser comes back and Next is asked again.
const (
	SignIn        Step = iota // nobody is signed in
	SignInAgain               // somebody is, but must prove it anew
	SelectAccount             // the person must say which account
	NoAccess                  // the person, whoever they prove to be, may not use the app; nobody can help it but others
	StepUp                    // the person must show a second factor
	Enrol                     // the person must register one first
	AskConsent                // the person must allow what the app asks for
	Confirm                   // the person, who allowed it before, must say that it is they who want to go there
	Issue                     // all is settled
	Refuse                    // it cannot be
)

// Decision is a Step with what belongs to it.
type Decision struct {
	Step   Step
	Scopes []string            // to be granted, with Issue
	Claims *oidc.ClaimsRequest // the same, by name
	APIs   oidc.APIScopes      // to be granted at APIs, with Issue
	By     *Consent            // what allows them, with Issue; nil: the client is trusted
	ACR    string              // the authentication context class to be reached, with StepUp and Enrol
	Error  *oidc.Error         // for the app, with Refuse
}

// Visitor is who sits before the browser that an authorization request came with.
type Visitor struct {
	Session     *identity.Session // live, with its user; nil: nobody is signed in
	Consent     *Consent          // what they have allowed this client before, or nil
	Pairwise    string            // whom a client with pairwise subjects knows them as; empty: it knows them not
	RequiredACR string            // what the operator demands of this person whatever the app; or empty
	Excluded    bool              // the app is for people of certain groups, and they are in none of them
}

// Next says what has to happen next for an authorization request of that visitor. It is the whole of OpenID Connect
// Core, section 3.1.2.3, of RFC 9470 and of RFC 8252, section 8.6: it reads no clock and no database, so that every
// combination can be put in a table.
func Next(a *Request, v Visitor, now time.Time) Decision {
	session, consent := v.Session, v.Consent
	if consent.isVoid(a.Client) {
		consent = nil
	}
	silent := a.Asks("none")
	interact := func(step Step, code, why string) Decision {
		if silent {
			return refuse(code, why)
		}
		return Decision{Step: step}
	}
	if session == nil {
		return interact(SignIn, "login_required", "Nobody is signed in.")
	}
	if silent && a.AsksSubject && !a.Client.IsTrusted && !consent.covers(a) {
		// One answer, whoever it is: an app that nobody has allowed anything learns not who is signed in.
		return refuse("login_required", "The person must sign in, or has not allowed this yet.")
	}
	// What was done before the request began was not done for it.
	fresh := !session.AuthTime.Before(a.BeganAt)
	if a.HintSubject != "" && a.HintSubject != v.knownTo(a.Client) {
		if fresh { // somebody else than expected has just signed in; asking once more would go on for ever
			return refuse("login_required", "The person who signed in is not the one that id_token_hint names.")
		}
		return interact(SignIn, "login_required", "The person who is signed in is not the one that id_token_hint names.")
	}
	if a.Asks("select_account") && !a.Selected && !fresh {
		return Decision{Step: SelectAccount}
	}
	tooOld := a.MaxAge != nil && now.Sub(session.AuthTime) > *a.MaxAge
	if (a.Asks("login") || tooOld || a.MaxAge != nil && *a.MaxAge == 0) && !fresh {
		return interact(SignInAgain, "login_required", "The person must sign in again.")
	}
	if v.Excluded {
		if silent {
			return Decision{Step: Refuse, Error: Excluded(a.Client)}
		}
		return Decision{Step: NoAccess}
	}
	if further := assure(a, v); further != nil {
		if silent && further.Step != Refuse {
			return refuse("interaction_required", "The person must show a second factor.")
		}
		return *further
	}
	impersonable := a.Client.MayBeImpersonated(a.RedirectURI)
	if a.Client.IsTrusted && !impersonable {
		return Decision{Step: Issue, Scopes: a.Scopes, Claims: a.Claims, APIs: requestedAt(a.APIs)}
	}
	if !consent.covers(a) || a.Asks("consent") && consent.GrantedAt.Before(a.BeganAt) {
		return interact(AskConsent, "consent_required", "The person has not allowed this yet.")
	}
	if impersonable && a.ConfirmedBy != session.ID { // RFC 8252, section 8.6
		return interact(Confirm, "interaction_required",
			"Another program could pass for this app, so the person must confirm each time.")
	}
	return Decision{
		Step: Issue, Scopes: oidc.Intersect(a.Scopes, consent.GrantedScopes), Claims: consent.allows(a.Claims),
		APIs: consent.at(a.APIs), By: consent,
	}
}

// ErrNoAccess tells an app that who has signed in may not use it: RFC 6749, section 4.1.2.1.
var ErrNoAccess = &oidc.Error{Code: "access_denied", Description: "This person may not use this app."}

// Excluded is ErrNoAccess with its reason.
func Excluded(client *clients.Client) *oidc.Error {
	return ErrNoAccess.Because(oidc.ExcludedPerson, client.AccessGroups)
}

// knownTo is whom a client knows the person as who is signed in; empty where it knows them not.
func (v *Visitor) knownTo(client *clients.Client) string {
	if client.Sector != "" {
		return v.Pairwise
	}
	return v.Session.UserID.String()
}

func refuse(code, why string) Decision {
	return Decision{Step: Refuse, Error: &oidc.Error{Code: code, Description: why}}
}
