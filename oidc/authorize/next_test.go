package authorize

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

var (
	nextBegan = time.Date(2024, 5, 6, 7, 0, 0, 0, time.UTC)
	nextNow   = nextBegan.Add(10 * time.Minute)
	nextAlice = uuid.MustParse("018f4c00-0000-7000-8000-00000000000a")
	nextBob   = uuid.MustParse("018f4c00-0000-7000-8000-00000000000b")
	nextAsked = []string{"openid", "profile", "email"}
)

// nextCase is one combination of everything that Next looks at.
type nextCase struct {
	a       *Request
	session *identity.Session
	consent *Consent
	name    string

	required     string // by the operator's rule
	impersonable bool   // another program could pass for the app
}

func age(d time.Duration) *time.Duration { return &d }

func signedInAt(at time.Time) *identity.Session {
	return signedInWith(at, identity.ACRPassword, &identity.User{ID: nextAlice})
}

func signedInWith(at time.Time, acr string, user *identity.User) *identity.Session {
	return &identity.Session{ID: uuid.New(), UserID: user.ID, User: user, AuthTime: at, ACR: acr}
}

func consentAt(at time.Time, granted, declined []string) *Consent {
	return &Consent{UserID: nextAlice, GrantedScopes: granted, DeclinedScopes: declined, GrantedAt: at}
}

// allNextCases builds every combination of what may come: each of webNextCases for an app that alone gets the answer,
// and for one that another program could pass for, confirmed by nobody, by another session and by this one.
func allNextCases(yield func(nextCase)) {
	webNextCases(func(c nextCase) {
		yield(c)
		confirmedBy := map[string]uuid.UUID{"by nobody": {}, "by another session": uuid.New()}
		if c.session != nil {
			confirmedBy["by this session"] = c.session.ID
		}
		for name, id := range confirmedBy {
			local := *c.a
			local.Client = &clients.Client{ID: "app", IsTrusted: c.a.Client.IsTrusted, AuthMethod: clients.AuthNone}
			local.RedirectURI, local.ConfirmedBy = "http://127.0.0.1:50000/cb", id
			yield(nextCase{
				a: &local, session: c.session, consent: c.consent, required: c.required, impersonable: true,
				name: c.name + ", to a local program, confirmed " + name,
			})
		}
	})
}

// webNextCases builds 2 x 2 x 3 x 5 x 9 x 5 x 7 of them.
func webNextCases(yield func(nextCase)) {
	before, after := nextBegan.Add(-time.Hour), nextBegan.Add(5*time.Minute)
	sessions := map[string]*identity.Session{
		"nobody": nil, "signed in an hour before": signedInAt(before),
		"signed in just before": signedInAt(nextBegan.Add(-time.Microsecond)),
		"signed in as it began": signedInAt(nextBegan), "signed in since": signedInAt(after),
	}
	prompts := [][]string{
		nil, {"none"}, {"login"}, {"consent"}, {"select_account"}, {"login", "consent"}, {"select_account", "login"},
		{"consent", "select_account"}, {"login", "consent", "select_account"},
	}
	maxAges := map[string]*time.Duration{
		"any age": nil, "max_age=0": age(0), "max_age=60": age(time.Minute), "max_age=exactly": age(nextNow.Sub(before)),
		"max_age=10000": age(10000 * time.Second),
	}
	consents := map[string]*Consent{
		"no consent":            nil,
		"consent before":        consentAt(before, []string{"openid", "profile", "email", "address"}, nil),
		"consent since":         consentAt(after, nextAsked, nil),
		"partial before":        consentAt(before, []string{"openid", "profile"}, nil),
		"partial since":         consentAt(after, []string{"openid"}, []string{"profile"}),
		"declined email before": consentAt(before, []string{"openid", "profile"}, []string{"email"}),
		"declined all since":    consentAt(after, nil, nextAsked),
	}
	for _, trusted := range []bool{false, true} {
		for _, selected := range []bool{false, true} {
			for _, hint := range []string{"", nextAlice.String(), nextBob.String()} {
				for sessionName, session := range sessions {
					for _, prompt := range prompts {
						for ageName, maxAge := range maxAges {
							for consentName, consent := range consents {
								yield(nextCase{
									a: &Request{
										Client: &clients.Client{ID: "app", IsTrusted: trusted}, Scopes: nextAsked, Prompt: prompt, MaxAge: maxAge,
										HintSubject: hint, BeganAt: nextBegan, Selected: selected,
									},
									session: session, consent: consent,
									name: fmt.Sprintf(
										"%s, prompt %v, %s, %s, trusted %v, selected %v, hint %q", sessionName, prompt, ageName, consentName, trusted,
										selected, hint,
									),
								})
							}
						}
					}
				}
			}
		}
	}
}

// What must hold whatever the combination. The rules are written down a second time here, from the specification and
// not from next.go, so each can be wrong in one place only.
func TestNextHoldsItsPromisesInEveryCombination(t *testing.T) {
	var n int
	seen := map[Step]int{}
	allNextCases(func(c nextCase) {
		n++
		got := Next(c.a, Visitor{Session: c.session, Consent: c.consent, RequiredACR: c.required}, nextNow)
		seen[got.Step]++
		fault := func(format string, args ...any) { t.Errorf("%s: %+v: "+format, append([]any{c.name, got}, args...)...) }
		silent, signedIn := slices.Contains(c.a.Prompt, "none"), c.session != nil
		fresh := signedIn && !c.session.AuthTime.Before(nextBegan)
		otherPerson := signedIn && c.a.HintSubject != "" && c.a.HintSubject != c.session.UserID.String()
		decided := func(scope string) bool {
			return c.consent != nil &&
				(slices.Contains(c.consent.GrantedScopes, scope) || slices.Contains(c.consent.DeclinedScopes, scope))
		}
		allDecided := decided("openid") && decided("profile") && decided("email")
		trusted := c.a.Client.IsTrusted && !c.impersonable
		confirmed := signedIn && c.a.ConfirmedBy == c.session.ID

		// The shape of a decision.
		if (got.Step == Refuse) != (got.Error != nil) {
			fault("an error goes with a refusal and with nothing else")
		}
		if got.Step != Issue && got.Scopes != nil {
			fault("scopes without issuing")
		}
		// prompt=none shows nothing, and says why it cannot: section 3.1.2.6.
		if silent && got.Step != Issue && got.Step != Refuse {
			fault("prompt=none yields a page")
		}
		if got.Step == Refuse &&
			!slices.Contains(
				[]string{"login_required", "consent_required", "interaction_required", "account_selection_required"},
				got.Error.Code,
			) {
			fault("no error of section 3.1.2.6")
		}
		if got.Step == Refuse && !silent && !(otherPerson && fresh) {
			fault("refused although a page could have asked")
		}
		if got.Step == Refuse && got.Error.Code == "consent_required" &&
			(trusted || allDecided && !slices.Contains(c.a.Prompt, "consent")) {
			fault("consent is there")
		}
		if got.Step == Refuse && got.Error.Code == "interaction_required" && (!c.impersonable || confirmed || !allDecided) {
			fault("no interaction is required")
		}
		if got.Step == Refuse && !signedIn && got.Error.Code != "login_required" {
			fault("nobody is signed in")
		}
		// Who is not signed in signs in first; who did so for this request is never asked again.
		if !signedIn && !silent && got.Step != SignIn {
			fault("nobody is signed in")
		}
		if fresh && (got.Step == SignIn || got.Step == SignInAgain || got.Step == SelectAccount) {
			fault("signed in for this very request and asked again")
		}
		// No page comes without a reason.
		switch got.Step {
		case SignIn:
			if signedIn && !otherPerson {
				fault("the right person is signed in")
			}
		case SignInAgain:
			wanted := slices.Contains(c.a.Prompt, "login") || c.a.MaxAge != nil &&
				(*c.a.MaxAge == 0 || nextNow.Sub(c.session.AuthTime) > *c.a.MaxAge)
			if !wanted || otherPerson {
				fault("nobody asked for it")
			}
		case SelectAccount:
			if !slices.Contains(c.a.Prompt, "select_account") || c.a.Selected || otherPerson {
				fault("nobody asked for it")
			}
		case AskConsent:
			again := slices.Contains(c.a.Prompt, "consent") && (c.consent == nil || c.consent.GrantedAt.Before(nextBegan))
			if trusted || allDecided && !again {
				fault("it is decided")
			}
			if otherPerson {
				fault("the wrong person is asked")
			}
		case Confirm:
			if !c.impersonable || confirmed || !allDecided || otherPerson {
				fault("nothing to confirm")
			}
		case Issue:
			if c.impersonable && !confirmed {
				fault("RFC 8252, section 8.6: nobody was asked")
			}
			if !signedIn || otherPerson {
				fault("to whom?")
				return
			}
			if slices.Contains(c.a.Prompt, "login") && !fresh {
				fault("prompt=login was not met")
			}
			if c.a.MaxAge != nil && !fresh && (*c.a.MaxAge == 0 || nextNow.Sub(c.session.AuthTime) > *c.a.MaxAge) {
				fault("max_age was not met")
			}
			if slices.Contains(c.a.Prompt, "select_account") && !fresh && !c.a.Selected {
				fault("prompt=select_account was not met")
			}
			if !trusted && !allDecided {
				fault("nobody consented")
			}
			if !trusted && slices.Contains(c.a.Prompt, "consent") && c.consent.GrantedAt.Before(nextBegan) {
				fault("prompt=consent was not met")
			}
			for _, scope := range nextAsked {
				want := trusted || slices.Contains(c.consent.GrantedScopes, scope)
				if slices.Contains(got.Scopes, scope) != want {
					fault("scope %s: granted should be %v", scope, want)
				}
			}
			for _, scope := range got.Scopes {
				if !slices.Contains(nextAsked, scope) {
					fault("scope %s was not asked for", scope)
				}
			}
		}
	})
	if n != 2*2*3*9*5*7*(4*4+3) {
		t.Errorf("%d combinations", n)
	}
	for _, step := range []Step{SignIn, SignInAgain, SelectAccount, AskConsent, Confirm, Issue, Refuse} {
		if seen[step] == 0 {
			t.Errorf("no combination leads to step %d", step)
		}
	}
}

// Each page does what it is for and comes back; then it must not come again, and the app gets its answer.
func TestNextComesToAnEnd(t *testing.T) {
	allNextCases(func(c nextCase) {
		a, session, consent, now := *c.a, c.session, c.consent, nextNow
		visited := map[Step]bool{}
		for {
			now = now.Add(30 * time.Second) // people take their time
			got := Next(&a, Visitor{Session: session, Consent: consent, RequiredACR: c.required}, now)
			if got.Step == Issue || got.Step == Refuse {
				return
			}
			if visited[got.Step] {
				t.Errorf("%s: step %d comes a second time", c.name, got.Step)
				return
			}
			visited[got.Step] = true
			switch got.Step {
			case SignIn: // the person whom the app means
				session = signedInAt(now)
				if a.HintSubject != "" {
					session.UserID = uuid.MustParse(a.HintSubject)
				}
				consent = nil
			case SignInAgain:
				session = signedInWith(now, session.ACR, session.User)
			case SelectAccount:
				a.Selected = true
			case AskConsent:
				consent, a.ConfirmedBy = consentAt(now, []string{"openid"}, []string{"profile", "email"}), session.ID
			case Confirm:
				a.ConfirmedBy = session.ID
			}
		}
	})
}

// The cases of OpenID Connect Core, sections 3.1.2.1, 3.1.2.3 and 3.1.2.4, by name.
func TestNextByTheSpecification(t *testing.T) {
	before, since := signedInAt(nextBegan.Add(-time.Hour)), signedInAt(nextBegan.Add(time.Minute))
	allowed, asked := consentAt(nextBegan.Add(-time.Hour), nextAsked, nil), nextAsked
	for name, c := range map[string]struct {
		prompt  []string
		maxAge  *time.Duration
		hint    uuid.UUID
		trusted bool
		picked  bool
		session *identity.Session
		consent *Consent
		step    Step
		scopes  []string
		code    string
	}{
		"the person is not authenticated":                     {step: SignIn},
		"signed in, nothing allowed yet":                      {session: before, step: AskConsent},
		"signed in, all allowed":                              {session: before, consent: allowed, step: Issue, scopes: asked},
		"our own app":                                         {session: before, trusted: true, step: Issue, scopes: asked},
		"prompt=none, nobody there":                           {prompt: []string{"none"}, step: Refuse, code: "login_required"},
		"prompt=none, not allowed":                            {prompt: []string{"none"}, session: before, step: Refuse, code: "consent_required"},
		"prompt=none, all is there":                           {prompt: []string{"none"}, session: before, consent: allowed, step: Issue, scopes: asked},
		"prompt=none, our own app":                            {prompt: []string{"none"}, session: before, trusted: true, step: Issue, scopes: asked},
		"prompt=none, signed in too long ago":                 {prompt: []string{"none"}, maxAge: age(time.Minute), session: before, consent: allowed, step: Refuse, code: "login_required"},
		"prompt=none, somebody else":                          {prompt: []string{"none"}, hint: nextBob, session: before, consent: allowed, step: Refuse, code: "login_required"},
		"prompt=login, signed in before":                      {prompt: []string{"login"}, session: before, consent: allowed, step: SignInAgain},
		"prompt=login, signed in for it":                      {prompt: []string{"login"}, session: since, consent: allowed, step: Issue, scopes: asked},
		"prompt=consent, allowed before":                      {prompt: []string{"consent"}, session: before, consent: allowed, step: AskConsent},
		"prompt=consent, allowed for it":                      {prompt: []string{"consent"}, session: before, consent: consentAt(nextBegan, nextAsked, nil), step: Issue, scopes: asked},
		"prompt=consent, our own app":                         {prompt: []string{"consent"}, session: before, trusted: true, step: Issue, scopes: asked},
		"prompt=login consent, in this order":                 {prompt: []string{"consent", "login"}, session: before, consent: allowed, step: SignInAgain},
		"prompt=select_account":                               {prompt: []string{"select_account"}, session: before, consent: allowed, step: SelectAccount},
		"prompt=select_account, selected":                     {prompt: []string{"select_account"}, picked: true, session: before, consent: allowed, step: Issue, scopes: asked},
		"prompt=select_account, nobody there":                 {prompt: []string{"select_account"}, step: SignIn},
		"prompt=select_account, another signed in":            {prompt: []string{"select_account"}, session: since, consent: allowed, step: Issue, scopes: asked},
		"prompt=select_account login, selected":               {prompt: []string{"select_account", "login"}, picked: true, session: before, consent: allowed, step: SignInAgain},
		"max_age met":                                         {maxAge: age(2 * time.Hour), session: before, consent: allowed, step: Issue, scopes: asked},
		"max_age met to the second":                           {maxAge: age(70 * time.Minute), session: before, consent: allowed, step: Issue, scopes: asked},
		"max_age exceeded":                                    {maxAge: age(69 * time.Minute), session: before, consent: allowed, step: SignInAgain},
		"max_age=0 is prompt=login":                           {maxAge: age(0), session: before, consent: allowed, step: SignInAgain},
		"max_age=0, signed in for it":                         {maxAge: age(0), session: since, consent: allowed, step: Issue, scopes: asked},
		"the hint names who is here":                          {hint: nextAlice, session: before, consent: allowed, step: Issue, scopes: asked},
		"the hint names somebody else":                        {hint: nextBob, session: before, consent: allowed, step: SignIn},
		"the hint names somebody else, who is signed in anew": {hint: nextBob, session: since, consent: allowed, step: Refuse, code: "login_required"},
		"the hint names somebody, nobody is here":             {hint: nextBob, step: SignIn},
		"one more scope than was decided": {session: before, consent: consentAt(
			nextBegan, []string{"openid", "profile"}, nil,
		), step: AskConsent},
		"a scope was declined, and that is remembered": {session: before, consent: consentAt(
			nextBegan.Add(-time.Hour), []string{"openid", "email"}, []string{"profile"},
		), step: Issue, scopes: []string{"openid", "email"}},
		"more was allowed than is asked for": {session: before, consent: consentAt(
			nextBegan, []string{"address", "email", "profile", "openid"}, nil,
		), step: Issue, scopes: asked},
		"prompt=none and a declined scope":                     {prompt: []string{"none"}, session: before, consent: consentAt(nextBegan, []string{"openid"}, []string{"profile", "email"}), step: Issue, scopes: []string{"openid"}},
		"consent of somebody who took long after signing in":   {maxAge: age(time.Second), session: since, consent: allowed, step: Issue, scopes: asked},
		"our own app still wants the person it means":          {hint: nextBob, trusted: true, session: before, step: SignIn},
		"our own app still wants a sign-in that is new enough": {maxAge: age(time.Minute), trusted: true, session: before, step: SignInAgain},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Request{
				Client: &clients.Client{ID: "app", IsTrusted: c.trusted}, Scopes: nextAsked, Prompt: c.prompt, MaxAge: c.maxAge,
				BeganAt: nextBegan, Selected: c.picked,
			}
			if c.hint != uuid.Nil {
				a.HintSubject = c.hint.String()
			}
			got := Next(a, Visitor{Session: c.session, Consent: c.consent}, nextNow)
			code := ""
			if got.Error != nil {
				code = got.Error.Code
			}
			if got.Step != c.step || !slices.Equal(got.Scopes, c.scopes) || code != c.code {
				t.Errorf(
					"step %d, scopes %v, error %q; want step %d, scopes %v, error %q", got.Step, got.Scopes, code, c.step, c.scopes,
					c.code,
				)
			}
		})
	}
}

// Whom an app with pairwise subjects expects is compared with whom it knows the visitor as: their public subject is
// nobody to it.
func TestNextOfPairwiseSubjects(t *testing.T) {
	session := signedInAt(nextBegan.Add(-time.Hour))
	for name, c := range map[string]struct {
		sector, known, hint string
		step                Step
	}{
		"known":                           {"app.example", "alice-there", "alice-there", Issue},
		"another":                         {"app.example", "alice-there", "bob-there", SignIn},
		"by the public subject":           {"app.example", "alice-there", session.UserID.String(), SignIn},
		"not known yet":                   {"app.example", "", session.UserID.String(), SignIn},
		"nobody in particular":            {"app.example", "alice-there", "", Issue},
		"a public app":                    {"", "", session.UserID.String(), Issue},
		"a public app, a name from there": {"", "", "alice-there", SignIn},
	} {
		a := &Request{
			Client: &clients.Client{ID: "app", IsTrusted: true, Sector: c.sector}, Scopes: nextAsked, BeganAt: nextBegan,
			HintSubject: c.hint,
		}
		if got := Next(a, Visitor{Session: session, Pairwise: c.known}, nextNow); got.Step != c.step {
			t.Errorf("%s: step %d, want %d", name, got.Step, c.step)
		}
	}
}

// OpenID Connect Core, section 5.5: what is asked for by name is allowed by name, or by the scope that gives it.
func TestNextOfNamedClaims(t *testing.T) {
	before := nextBegan.Add(-time.Hour)
	named := func(names ...string) *oidc.ClaimsRequest {
		claims := oidc.NamedClaims{}
		for _, name := range names {
			claims[name] = nil
		}
		return &oidc.ClaimsRequest{Userinfo: oidc.NamedClaims{names[0]: nil}, IDToken: claims}
	}
	consent := func(scopes, declinedScopes, claims, declinedClaims []string) *Consent {
		return &Consent{
			GrantedScopes: scopes, DeclinedScopes: declinedScopes, GrantedClaims: claims, DeclinedClaims: declinedClaims,
			GrantedAt: before,
		}
	}
	openid, email := []string{"openid"}, []string{"email"}
	for name, c := range map[string]struct {
		scopes  []string
		claims  *oidc.ClaimsRequest
		consent *Consent
		trusted bool
		silent  bool
		step    Step
		told    string
	}{
		"our own app":                          {openid, named("email"), nil, true, false, Issue, "email"},
		"never asked":                          {openid, named("email"), consent(openid, nil, nil, nil), false, false, AskConsent, ""},
		"never asked, silently":                {openid, named("email"), consent(openid, nil, nil, nil), false, true, Refuse, ""},
		"allowed":                              {openid, named("email"), consent(openid, nil, email, nil), false, false, Issue, "email"},
		"allowed, and one more":                {openid, named("email", "birthdate"), consent(openid, nil, email, nil), false, false, AskConsent, ""},
		"allowed and declined":                 {openid, named("email", "birthdate"), consent(openid, nil, email, []string{"birthdate"}), false, false, Issue, "email"},
		"declined":                             {openid, named("email"), consent(openid, nil, nil, email), false, false, Issue, ""},
		"by its scope, asked for too":          {[]string{"openid", "email"}, named("email"), consent([]string{"openid", "email"}, nil, nil, nil), false, false, Issue, "email"},
		"by its scope, asked for before":       {openid, named("email"), consent([]string{"openid", "email"}, nil, nil, nil), false, false, Issue, "email"},
		"its scope declined":                   {[]string{"openid", "email"}, named("email"), consent(openid, email, nil, nil), false, false, Issue, ""},
		"its scope declined before":            {openid, named("email"), consent(openid, email, nil, nil), false, false, Issue, ""},
		"by its scope, and declined by name":   {openid, named("email"), consent([]string{"openid", "email"}, nil, nil, email), false, false, Issue, ""},
		"its scope declined, allowed by name":  {openid, named("email"), consent(openid, email, email, nil), false, false, Issue, "email"},
		"nothing by name":                      {openid, nil, consent(openid, nil, nil, nil), false, false, Issue, ""},
		"somebody else's consent has no claim": {openid, named("email"), nil, false, false, AskConsent, ""},
	} {
		a := &Request{
			Client: &clients.Client{ID: "app", IsTrusted: c.trusted}, Scopes: c.scopes, Claims: c.claims, BeganAt: nextBegan,
		}
		if c.silent {
			a.Prompt = []string{"none"}
		}
		got := Next(a, Visitor{Session: signedInAt(before), Consent: c.consent}, nextNow)
		if told := strings.Join(got.Claims.Names(), " "); got.Step != c.step || told != c.told {
			t.Errorf("%s: step %d with %q, want %d with %q", name, got.Step, told, c.step, c.told)
		}
	}
}

// What is decided about a request stays with what was decided about others; what is decided of a scope is decided of
// its claims.
func TestConsentToNamedClaims(t *testing.T) {
	ask := func(scopes []string, names ...string) *Request {
		claims := oidc.NamedClaims{}
		for _, name := range names {
			claims[name] = nil
		}
		return &Request{Client: &clients.Client{}, Scopes: scopes, Claims: &oidc.ClaimsRequest{Userinfo: claims}}
	}
	var consent *Consent
	for _, c := range []struct {
		asked          *Request
		scopes, claims []string
		want           string
	}{
		{ask([]string{"openid"}, "email", "birthdate"), nil, []string{"email", "phone_number"}, "[openid] [] [email] [birthdate]"},
		{ask([]string{"openid"}, "name"), nil, []string{"name"}, "[openid] [] [email name] [birthdate]"},
		{ask([]string{"openid", "email"}, "email"), nil, []string{"email"}, "[openid] [email] [name] [birthdate]"},
		{ask([]string{"openid", "email"}), []string{"email"}, nil, "[openid email] [] [name] [birthdate]"},
		{ask([]string{"openid"}, "name", "birthdate"), nil, []string{"birthdate"}, "[email openid] [] [birthdate] [name]"},
	} {
		consent = consent.decide(c.asked, c.scopes, c.claims)
		got := fmt.Sprint(consent.GrantedScopes, consent.DeclinedScopes, consent.GrantedClaims, consent.DeclinedClaims)
		if got != c.want {
			t.Errorf("%v, of which %v and %v are allowed: %s, want %s", c.asked.Scopes, c.scopes, c.claims, got, c.want)
		}
	}
}

// RFC 8252, section 8.6, by name: where another program could pass for the app, what was allowed before is not enough.
func TestNextOfNativeApps(t *testing.T) {
	session, allowed := signedInAt(nextBegan.Add(-time.Hour)), consentAt(nextBegan.Add(-time.Hour), nextAsked, nil)
	none := []string{"none"}
	for name, c := range map[string]struct {
		redirect    string
		confidently bool // the client has a secret
		trusted     bool
		prompt      []string
		consent     *Consent
		confirmed   uuid.UUID
		step        Step
		code        string
	}{
		"a web page of its own":                  {redirect: "https://spa.example.com/", consent: allowed, step: Issue},
		"127.0.0.1":                              {redirect: "http://127.0.0.1:5555/cb", consent: allowed, step: Confirm},
		"::1":                                    {redirect: "http://[::1]:5555/cb", consent: allowed, step: Confirm},
		"localhost":                              {redirect: "http://localhost:5555/cb", consent: allowed, step: Confirm},
		"localhost by https":                     {redirect: "https://localhost/cb", consent: allowed, step: Confirm},
		"a scheme of its own":                    {redirect: "com.example.app:/cb", consent: allowed, step: Confirm},
		"localhost, with a secret":               {redirect: "http://localhost:5555/cb", confidently: true, consent: allowed, step: Issue},
		"nothing allowed yet":                    {redirect: "http://127.0.0.1:5555/cb", step: AskConsent},
		"confirmed":                              {redirect: "http://127.0.0.1:5555/cb", consent: allowed, confirmed: session.ID, step: Issue},
		"confirmed by another session":           {redirect: "http://127.0.0.1:5555/cb", consent: allowed, confirmed: uuid.New(), step: Confirm},
		"prompt=none":                            {redirect: "http://127.0.0.1:5555/cb", prompt: none, consent: allowed, step: Refuse, code: "interaction_required"},
		"prompt=none, nothing allowed yet":       {redirect: "http://127.0.0.1:5555/cb", prompt: none, step: Refuse, code: "consent_required"},
		"trusted from before that was refused":   {redirect: "com.example.app:/cb", trusted: true, step: AskConsent},
		"trusted before, prompt=none":            {redirect: "com.example.app:/cb", trusted: true, prompt: none, step: Refuse, code: "consent_required"},
		"trusted, on a web page of its own":      {redirect: "https://spa.example.com/", trusted: true, prompt: none, step: Issue},
		"trusted, on localhost, with its secret": {redirect: "http://localhost/", trusted: true, confidently: true, step: Issue},
	} {
		t.Run(name, func(t *testing.T) {
			client := &clients.Client{ID: "app", IsTrusted: c.trusted, AuthMethod: clients.AuthNone}
			if c.confidently {
				client.AuthMethod = clients.AuthBasic
			}
			a := &Request{
				Client: client, RedirectURI: c.redirect, Scopes: nextAsked, Prompt: c.prompt, BeganAt: nextBegan,
				ConfirmedBy: c.confirmed,
			}
			got := Next(a, Visitor{Session: session, Consent: c.consent}, nextNow)
			code := ""
			if got.Error != nil {
				code = got.Error.Code
			}
			if got.Step != c.step || code != c.code {
				t.Errorf("step %d, error %q; want step %d, error %q", got.Step, code, c.step, c.code)
			}
		})
	}
}

// An app that nobody has allowed anything learns not, by the claim sub, who is signed in.
func TestSilentSubjectTellsNobodyWhoIsSignedIn(t *testing.T) {
	ask := func(who uuid.UUID, consent *Consent) string {
		a := &Request{
			Client: &clients.Client{}, Scopes: nextAsked, Prompt: []string{"none"}, BeganAt: nextBegan,
			HintSubject: who.String(), AsksSubject: true,
		}
		session := signedInAt(nextBegan.Add(-time.Hour))
		decision := Next(a, Visitor{Session: session, Consent: consent}, nextNow)
		if decision.Error == nil {
			return "allowed"
		}
		return decision.Error.Code + ": " + decision.Error.Description
	}
	if right, wrong := ask(nextAlice, nil), ask(nextBob, nil); right != wrong {
		t.Errorf("whoever is signed in gives %q, another %q", right, wrong)
	}
	allowed := consentAt(nextBegan.Add(-time.Hour), nextAsked, nil)
	if right, wrong := ask(nextAlice, allowed), ask(nextBob, allowed); right != "allowed" || wrong == "allowed" {
		t.Errorf("with consent: %q, and another %q", right, wrong)
	}
}

// Whoever may not use an app gets no further than being told so, whatever they have allowed and shown; and nothing else
// is asked of them first but who they are.
func TestNextKeepsTheExcludedOut(t *testing.T) {
	steps := make(map[Step]int)
	allNextCases(func(c nextCase) {
		v := Visitor{Session: c.session, Consent: c.consent, RequiredACR: c.required}
		free := Next(c.a, v, nextNow)
		v.Excluded = true
		got := Next(c.a, v, nextNow)
		steps[got.Step]++
		switch got.Step {
		case SignIn, SignInAgain, SelectAccount:
			if got.Step != free.Step {
				t.Errorf("%s: %v, where others come to %v", c.name, got.Step, free.Step)
			}
		case NoAccess:
			if c.a.Asks("none") || c.session == nil {
				t.Errorf("%s: a page", c.name)
			}
		case Refuse:
			if free.Step != Refuse && got.Error.Code != "access_denied" {
				t.Errorf("%s: %s", c.name, got.Error.Code)
			}
		default:
			t.Errorf("%s: %v", c.name, got.Step)
		}
	})
	if steps[NoAccess] == 0 || steps[Refuse] == 0 || steps[SignIn] == 0 {
		t.Errorf("this test looks at nothing: %v", steps)
	}
}
