package authorize

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
)

const unknownACR = "https://example.com/acr/unheard-of"

// assuranceLevel is the order of the classes, written down a second time.
var assuranceLevel = map[string]int{"urn:wicket:acr:password": 1, "urn:wicket:acr:mfa": 2, "phr": 3}

// allAssuranceCases builds every combination of session, factors, client rule, operator's rule, acr_values, essential
// acr, max_age, prompt and consent.
func allAssuranceCases(yield func(nextCase)) {
	before, after := nextBegan.Add(-time.Hour), nextBegan.Add(5*time.Minute)
	classes := []string{identity.ACRPassword, identity.ACRMultiFactor, identity.ACRPhishingResistant}
	people := []*identity.User{
		{ID: nextAlice}, {ID: nextAlice, TwoFactor: true}, {ID: nextAlice, TwoFactor: true, HasWebAuthn: true},
		{ID: nextAlice, HasWebAuthn: true},
	}
	sessions := []*identity.Session{nil}
	for _, user := range people {
		for _, acr := range classes {
			sessions = append(sessions, signedInWith(before, acr, user), signedInWith(after, acr, user))
		}
	}
	rules := append([]string{""}, classes...)
	wishes := [][]string{
		nil, {identity.ACRMultiFactor}, {"phr"}, {"phr", identity.ACRMultiFactor}, {unknownACR}, {unknownACR, "phr"},
		{identity.ACRPassword},
	}
	for _, session := range sessions {
		for _, prompt := range [][]string{nil, {"none"}, {"login"}, {"consent"}, {"select_account"}} {
			for _, maxAge := range []*time.Duration{nil, age(0), age(time.Minute), age(10000 * time.Second)} {
				for _, consent := range []*Consent{nil, consentAt(before, nextAsked, nil)} {
					for _, clientRule := range rules {
						for _, required := range []string{"", identity.ACRMultiFactor} {
							for _, wanted := range wishes {
								for _, essential := range wishes {
									for _, steppedUp := range []bool{false, true} {
										yield(nextCase{
											a: &Request{
												Client: &clients.Client{ID: "app", RequiredACR: clientRule}, Scopes: nextAsked, Prompt: prompt,
												MaxAge:    maxAge,
												ACRValues: wanted, EssentialACR: essential, SteppedUp: steppedUp, BeganAt: nextBegan,
											},
											session: session, consent: consent, required: required,
										})
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func (c nextCase) String() string {
	person := "nobody"
	if c.session != nil {
		person = fmt.Sprintf(
			"%s since %s, two factors %t, WebAuthn %t", c.session.ACR, c.session.AuthTime.Sub(nextBegan),
			c.session.User.TwoFactor, c.session.User.HasWebAuthn,
		)
	}
	return fmt.Sprintf("%s; client wants %q, operator %q, acr_values %v, essential %v, stepped up %t, prompt %v, max_age %v, consent %t",
		person, c.a.Client.RequiredACR, c.required, c.a.ACRValues, c.a.EssentialACR,
		c.a.SteppedUp, c.a.Prompt, c.a.MaxAge, c.consent != nil)
}

// reach is the level that the person can get to.
func (c nextCase) reach() int {
	switch user := c.session.User; {
	case user.HasWebAuthn:
		return 3
	case user.TwoFactor:
		return 2
	}
	return 1
}

// least is the lowest level among classes, for any of them will do; 0 where there are none, and 9 where none is known.
func least(classes []string) int {
	if len(classes) == 0 {
		return 0
	}
	lowest := 9
	for _, class := range classes {
		if level := assuranceLevel[class]; level > 0 {
			lowest = min(lowest, level)
		}
	}
	return lowest
}

func TestAssuranceInEveryCombination(t *testing.T) {
	seen := map[Step]int{}
	faults := 0
	allAssuranceCases(func(c nextCase) {
		if faults > 20 {
			return
		}
		got := Next(c.a, Visitor{Session: c.session, Consent: c.consent, RequiredACR: c.required}, nextNow)
		seen[got.Step]++
		fault := func(format string, args ...any) {
			faults++
			t.Errorf("%s: %+v: "+format, append([]any{c, got}, args...)...)
		}
		if c.session == nil {
			if got.Step != SignIn && got.Step != Refuse {
				fault("nobody is signed in")
			}
			return
		}
		level := assuranceLevel[c.session.ACR]
		must := max(assuranceLevel[c.a.Client.RequiredACR], assuranceLevel[c.required], least(c.a.EssentialACR))
		wish := least(c.a.ACRValues)
		silent := slices.Contains(c.a.Prompt, "none")
		switch got.Step {
		case Issue, AskConsent:
			if level < must {
				fault("what is demanded is not met")
			}
			if wish <= c.reach() && level < wish && !c.a.SteppedUp {
				fault("what is wanted could have been met")
			}
		case StepUp:
			if silent {
				fault("prompt=none shows a page")
			}
			if level >= must && (level >= wish || c.a.SteppedUp) {
				fault("nobody asked for it")
			}
			if wanted := assuranceLevel[got.ACR]; wanted > c.reach() || wanted <= level {
				fault("it leads nowhere")
			}
		case Enrol:
			if silent {
				fault("prompt=none shows a page")
			}
			if must <= c.reach() || level >= must {
				fault("the person has what it takes")
			}
		case Refuse:
			if got.Error.Code == "unmet_authentication_requirements" && least(c.a.EssentialACR) != 9 {
				fault("it can be met")
			}
			if got.Error.Code == "interaction_required" &&
				(!silent || level >= must && (level >= wish || wish > c.reach() || c.a.SteppedUp)) {
				fault("no interaction is required")
			}
		}
	})
	for _, step := range []Step{SignIn, SignInAgain, SelectAccount, StepUp, Enrol, AskConsent, Issue, Refuse} {
		if seen[step] == 0 {
			t.Errorf("no combination leads to step %d", step)
		}
	}
}

// Whoever does what each page asks comes to an end, and never sees a page twice.
func TestAssuranceComesToAnEnd(t *testing.T) {
	allAssuranceCases(func(c nextCase) {
		a, session, consent, now := *c.a, c.session, c.consent, nextNow
		var visited [Refuse + 1]bool
		for {
			now = now.Add(10 * time.Second)
			got := Next(&a, Visitor{Session: session, Consent: consent, RequiredACR: c.required}, now)
			if got.Step == Issue || got.Step == Refuse {
				return
			}
			if visited[got.Step] {
				t.Fatalf("%s: step %d comes a second time", c, got.Step)
			}
			visited[got.Step] = true
			switch got.Step {
			case SignIn:
				session = signedInAt(now)
			case SignInAgain:
				session = signedInWith(now, identity.ACRPassword, session.User)
			case SelectAccount:
				a.Selected = true
			case StepUp: // with a key where only a key will do, otherwise with what is weakest
				acr := identity.ACRMultiFactor
				if !identity.Assures(acr, got.ACR) {
					acr = identity.ACRPhishingResistant
				}
				session, a.SteppedUp = signedInWith(session.AuthTime, acr, session.User), true
			case Enrol: // they register a key
				session = signedInWith(session.AuthTime, identity.ACRPhishingResistant, &identity.User{
					ID: session.UserID, HasWebAuthn: true,
				})
			case AskConsent:
				consent = consentAt(now, nextAsked, nil)
			}
		}
	})
}

// The app is told the class that it asked for, not one that it may not know.
func TestClaimedACR(t *testing.T) {
	for _, c := range []struct {
		essential, wanted []string
		session, want     string
	}{
		{nil, nil, "phr", "phr"},
		{nil, []string{identity.ACRMultiFactor}, "phr", identity.ACRMultiFactor},
		{nil, []string{"phr", identity.ACRMultiFactor}, "phr", "phr"},
		{nil, []string{"phr", identity.ACRMultiFactor}, identity.ACRMultiFactor, identity.ACRMultiFactor},
		{nil, []string{"phr"}, identity.ACRPassword, identity.ACRPassword},
		{[]string{identity.ACRMultiFactor}, []string{"phr"}, "phr", identity.ACRMultiFactor},
		{nil, []string{unknownACR}, "phr", "phr"},
	} {
		a := &Request{ACRValues: c.wanted, EssentialACR: c.essential}
		if got := claimedACR(a, &identity.Session{ACR: c.session}); got != c.want {
			t.Errorf("essential %v, wanted %v, %s: told %s, want %s", c.essential, c.wanted, c.session, got, c.want)
		}
	}
}
