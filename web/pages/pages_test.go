package pages

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/web/assets"
	"github.com/wicket-id/wicket/web/locales"
)

var (
	notes = App{
		Name: "Harbour Notes", LogoURI: "https://notes.example/logo.png", HomeURI: "https://notes.example/",
		PolicyURI: "https://notes.example/privacy", TermsURI: "https://notes.example/terms",
	}
	grace = Person{Username: "grace", Name: "Grace Hopper", Email: "grace@example.com"}
	head  = AccountHead{Person: grace, Mails: true, Linked: true, Page: "/account"}

	providers = []Provider{
		{ID: "google", Kind: "google", Name: "Google"}, {ID: "microsoft", Kind: "microsoft", Name: "Microsoft"},
		{ID: "github", Kind: "github", Name: "GitHub"}, {ID: "acme", Kind: "oidc", Name: "Acme Works"},
	}

	asked = Asked{
		Scopes: []Scope{
			{Name: "openid", Title: "Who you are", Required: true},
			{Name: "email", Title: "Your email address", Detail: "grace@example.com"},
		},
		Claims: []Claim{{Name: "birthdate", Title: "Your date of birth"}},
	}

	phoneHead = AccountHead{Person: grace, Phones: true, Page: "/account/phones"}
)

// samples is every page in the states that change what it holds, with the ids
// that handlers, tests and people's password managers rely on.
var samples = []struct {
	name string
	page Page
	ids  []string
}{
	{"sign in", SignIn{App: &notes, Continue: "c"}, []string{"username", "password", "sign-in"}},
	{"sign in, no app", SignIn{}, []string{"username", "password", "sign-in"}},
	{"sign in, failed", SignIn{App: &notes, Username: "grace", Failure: "No."}, []string{
		"username", "password", "sign-in", "failure",
	}},
	{"sign in again", SignIn{Username: "grace", UsernameFixed: true, SwitchURL: "/select?x=1"}, []string{
		"username", "password", "sign-in",
	}},
	{"sign in, or register", SignIn{RegisterURL: "/register?continue=c"}, []string{
		"username", "password", "sign-in", "create-account",
	}},
	{"sign in, passkey", SignIn{
		App: &notes, Continue: "c", Ceremony: &Ceremony{Options: `{"publicKey":{}}`, State: "s"},
	}, []string{"username", "password", "sign-in", "passkey", "able"}},
	{"sign in, passkey last", SignIn{
		Continue: "c", Ceremony: &Ceremony{Options: `{"publicKey":{}}`, State: "s"}, LastWay: ByPasskey, Providers: Providers{Buttons: providers},
	}, []string{"username", "password", "sign-in", "passkey", "with-google"}},
	{"sign in, provider last", SignIn{LastWay: "github", Providers: Providers{Buttons: providers}}, []string{"with-github"}},
	{"second step", SecondStep{
		App: &notes, Ceremony: &Ceremony{Options: "{}", State: "s"}, Code: true, BackupCodes: true, Trust: true,
		Failure: "No.", Continue: "c", BackURI: "/sign-in",
	}, []string{"use-key", "code", "trust", "verify", "failure"}},
	{"second step, key only", SecondStep{Ceremony: &Ceremony{Options: "{}", State: "s"}}, []string{"use-key"}},
	{"second step, backup codes only", SecondStep{BackupCodes: true}, []string{"code", "verify"}},
	{"second step, nothing", SecondStep{}, nil},
	{"enrol", Enrol{App: &notes, Continue: "c"}, []string{"add-passkey", "add-hardware-key", "add-totp", "decline"}},
	{"enrol, key only", Enrol{App: &notes, KeyOnly: true, Continue: "c"}, []string{
		"add-passkey", "add-hardware-key", "decline",
	}},
	{"new key", NewKey{
		App: &notes, Title: "Add a passkey", Text: "Do.", Action: "/account/passkeys/add", Button: "Add",
		Ceremony: Ceremony{Options: "{}", State: "s"}, Failure: "No.", LaterURI: "/account",
	}, []string{"add-key", "name", "not-now", "failure"}},
	{"new app", NewTOTP{
		App: &notes, ID: "i", Secret: "JBSWY3DPEHPK3PXP", PNG: []byte("x"), Failure: "No.", LaterURI: "/account",
	}, []string{"secret", "code", "name", "verify", "not-now", "failure"}},
	{"backup codes", BackupCodes{Host: "id.example", Codes: []string{"aaaa-bbbb-cccc", "dddd-eeee-ffff"}}, []string{"codes", "done", "save", "copy", "print"}},
	{"security, factors", Security{
		Head: head, HasPassword: true, BackupCodes: "You have 3 left.", RemovedOn: "Monday", Kinds: []FactorKind{
			{ID: "passkeys", Icon: "passkey", Title: "Passkeys", Text: "Sign in with your finger.", Recommended: true, AddURI: "/account/passkeys/new", Add: "Add", Remove: "/account/passkeys/remove", Factors: []Factor{{ID: "p", Name: "Phone", Detail: "Added today", Warning: "Copied"}}},
		}}, []string{"passkeys", "add-passkeys", "remove-password", "make-codes", "keep-factors"}},
	{"security, no password", Security{Head: head}, []string{"password", "change"}},
	{"register", Register{App: &notes, Continue: "c", SignInURL: "/sign-in"}, []string{
		"username", "email", "name", "password", "register", "have-account",
	}},
	{"register, refused", Register{
		Values:   map[string]string{"username": "grace", "email": "grace@example.com", "name": "Grace"},
		Failures: map[string]string{"username": "Taken.", "password": "Weak."}, Failure: "No.", Rating: &Rating{Score: 1},
	}, []string{"failure", "username-failure", "password-failure", "strength"}},
	{"register, weak", Register{
		Failures: map[string]string{"password": "Weak."}, Failure: "No.", Rating: &Rating{},
	}, []string{"password-failure", "strength"}},
	{"profile", Profile{
		Head: AccountHead{Person: Person{Username: "grace", Picture: "/pictures/00"}}, Notice: "Done.", WrongPicture: "No picture.",
		Values: map[string]string{"name": "Grace Hopper", "street_address": "1 Navy Yard\nHouse 2"},
	}, []string{"name", "birthdate", "street_address", "save", "upload", "remove-picture", "own-picture-failure"}},
	{"profile, refused", Profile{
		Head: head, Failure: "No.", Failures: map[string]string{"birthdate": "No day.", "website": "No address."},
	}, []string{"failure", "birthdate-failure", "website-failure"}},
	{"sign in, or elsewhere", SignIn{
		App: &notes, Continue: "c", Providers: Providers{Continue: "c", Buttons: providers},
	}, []string{"sign-in", "with-google", "with-microsoft", "with-github", "with-acme"}},
	{"sign in again, or elsewhere", SignIn{
		Username: "grace", UsernameFixed: true, Providers: Providers{Buttons: providers},
	}, []string{"sign-in", "with-google"}},
	{"upstream", Upstream{
		App: &notes, Title: "Sign in", Providers: Providers{Buttons: providers[:1]}, OtherURI: "/sign-in?continue=c",
	}, []string{"with-google", "another-way"}},
	{"upstream, failed", Upstream{
		Title: "Google did not sign you in", Text: "Because.", Failed: true, Providers: Providers{Buttons: providers[:1]},
		OtherURI: "/sign-in", Reference: "K7QF2M9D",
	}, []string{"with-google", "another-way", "reference"}},
	{"upstream sign-up", UpstreamSignUp{
		App: &notes, Provider: providers[0], Account: "grace@example.com", MayRegister: true, Username: "grace",
	}, []string{"username", "register", "have-account"}},
	{"upstream sign-up, refused", UpstreamSignUp{
		Provider: providers[0], Account: "grace@example.com", MayRegister: true, Failure: "No.", Wrong: "Taken.",
	}, []string{"failure", "username-failure", "register"}},
	{"upstream sign-up, known address", UpstreamSignUp{
		Provider: providers[0], Account: "grace@example.com", MayRegister: true, HasAccount: true,
	}, []string{"have-account"}},
	{"upstream sign-up, no registration", UpstreamSignUp{Provider: providers[3], Account: "grace@example.com"}, []string{
		"have-account",
	}},
	{"link upstream", LinkUpstream{
		Person: grace, Provider: providers[0], Account: "grace@example.org", Continue: "c",
	}, []string{"link", "not-now"}},
	{"continue to an app", ContinueToApp{
		App: notes, Person: grace, RedirectHost: "127.0.0.1:5000", Continue: "c",
	}, []string{"continue-to-app", "deny"}},
	{"no access", NoAccess{App: notes, Person: grace, Continue: "c", Reference: "K7QF2M9D"}, []string{"back", "other", "reference"}},
	{"no access, with somebody to ask", NoAccess{
		App: notes, Person: grace, Contacts: []string{"notes@example.com", "+1 555 0100"}, OtherURI: "/sign-in?switch=1",
	}, []string{"contacts", "other"}},
	{"usable apps", UsableApps{Head: head, More: true, Apps: []UsableApp{
		{App: notes, URI: "https://notes.example/in?iss=x", Host: "notes.example"},
		{App: App{Name: "Own"}, URI: "https://own.example", Host: "own.example"},
	}}, []string{"usable-apps", "more-apps"}},
	{"usable apps, none", UsableApps{Head: head}, nil},
	{"apps", Apps{Head: head, Notice: "Done.", More: true, Apps: []ConnectedApp{
		{ID: "notes", App: notes, Scopes: []Scope{{Name: "email", Title: "See your email address"}}, Consented: true, OpenURI: "https://notes.example/in?iss=x", Since: "today", Used: "just now"},
		{ID: "own", App: App{Name: "Own"}, Since: "yesterday"},
	}}, []string{"apps", "notice", "more-apps"}},
	{"apps, none", Apps{Head: head}, nil},
	{"remove an app", RemoveApp{ID: "notes", App: notes, Consented: true}, []string{"remove-access", "keep-access"}},
	{"remove a trusted app", RemoveApp{ID: "own", App: notes}, []string{"remove-access", "keep-access"}},
	{"linked", Linked{
		Head: head, Notice: "Done.", Failure: "Not done.", Providers: providers[1:], Again: providers[:1],
		Accounts: []LinkedAccount{
			{ID: "l1", Provider: providers[0], Label: "grace@example.org", Linked: "today", Used: "just now"},
			{ID: "l2", Provider: Provider{ID: "old", Name: "old"}, Label: "g", Linked: "today", Used: "today", Off: true},
		},
	}, []string{"link-google", "link-acme"}},
	{"linked, none", Linked{Head: head}, nil},
	{"select account", SelectAccount{App: &notes, Person: grace, Continue: "c"}, []string{"continue", "other"}},
	{"consent", Consent{App: notes, RedirectHost: "notes.example", Person: grace, Continue: "c", Asked: asked}, []string{"allow", "deny"}},
	{"consent, bare", Consent{App: App{Name: "x"}, Person: Person{Username: "grace"}}, []string{"allow", "deny"}},
	{"device code", DeviceCode{}, []string{"user-code", "next"}},
	{"device code, failed", DeviceCode{Code: "wdjb", Failure: "No."}, []string{"user-code", "next", "failure"}},
	{"device", DeviceRequest{
		App: notes, Host: "notes.example", Person: grace, Code: "WDJB-MJHT", When: "just now", IP: "203.0.113.1", Token: "t",
		Browser: "Firefox on Linux", Elsewhere: true, Asked: asked,
	}, []string{"caution", "code", "asked", "elsewhere", "approve", "deny"}},
	{"device, trusted", DeviceRequest{
		App: App{Name: "x"}, Person: grace, Code: "WDJB-MJHT", When: "just now", IP: "203.0.113.1",
		Asked: Asked{Scopes: asked.Scopes, Claims: asked.Claims, APIs: []API{{Name: "Tides", Scopes: asked.Scopes}}, Settled: true},
	}, []string{"caution", "code", "approve", "deny"}},
	{"sign out", SignOut{App: &notes, Person: grace, Continue: "c"}, []string{"sign-out", "stay"}},
	{"sign out, no app", SignOut{Person: grace}, []string{"sign-out", "stay"}},
	{"signed out", SignedOut{App: &notes, ReturnURI: "https://notes.example/bye"}, []string{"return"}},
	{"signed out, no app", SignedOut{}, []string{"sign-in-again"}},
	{"signed out, not sent back", SignedOut{App: &notes, Refused: true, Reference: "K7QF2M9D"}, []string{"not-sent-back", "reference"}},
	{"failure", Failure{
		Status: 400, Title: "This did not work", Explanation: "Because.", Advice: "Try again.", Reference: "K7QF2M9D",
		RetryURI: "/again",
	}, []string{"reference", "retry"}},
	{"failure, bare", Failure{Title: "This did not work", Details: "redirect_uri"}, []string{"home", "details"}},
	{"kept", Kept{App: &notes, Date: "3 February 2026", Continue: "c"}, []string{"keep", "erase"}},
	{"sign in again, no password", SignIn{
		Username: "grace", UsernameFixed: true, NoPassword: true, Providers: Providers{Buttons: providers[:1]}, SwitchURL: "/sign-in?switch=1",
	}, []string{"with-google"}},
	{"devices", Devices{Head: head, Notice: "Done.", Failure: "Not done.", Devices: []Device{
		{ID: "d2", Label: "Safari on iPhone", IP: "203.0.113.2", SignedIn: "yesterday", LastSeen: "yesterday", Mobile: true},
		{ID: "d1", Label: "Firefox on Linux", IP: "203.0.113.1", SignedIn: "today", LastSeen: "just now", Current: true, Apps: []App{notes, {Name: "x"}}},
	}}, []string{"sign-out", "end-others", "sign-out-everywhere"}},
	{"devices, none", Devices{Head: head}, []string{"sign-out", "end-others", "sign-out-everywhere"}},
	{"security", Security{
		Head: head, HasPassword: true, Failure: "No.", WrongPresent: "Wrong.", WrongNew: "Weak.",
	}, []string{"present", "present-failure", "password", "password-failure", "change"}},
	{"activity", Activity{
		Head: head,
		Attempts: []Attempt{
			{When: "today", Result: "Signed in", IP: "203.0.113.1", Device: "Firefox on Linux"},
			{When: "today", Result: "Wrong password", Bad: true},
		},
	}, []string{"attempts"}},
	{"activity, none", Activity{Head: head}, nil},
	{"overview", Overview{
		Head: head, Notice: "Done.", LastSignIn: "yesterday from 203.0.113.7", Tasks: []Task{
			{Icon: "devices", Title: "New device: Firefox on Linux", Text: "Signed in yesterday.", URI: "/account/devices", Action: locales.Key("overview.review")},
			{Icon: "mail", Title: "Verify grace@example.org", Text: "Open the link.", URI: "/account/emails", Action: locales.Key("page.verify"), Urgent: true},
			{Icon: "passkey", Title: "Add a passkey", Text: "Sign in with your finger, your face or the PIN of your device.", URI: "/account/passkeys/new", Action: locales.Key("overview.add")},
		}, Tiles: []Tile{
			{URI: "/account/security", Icon: "shield", Label: locales.Key("account.tab.security"), Detail: "Two-step sign-in is on"},
			{URI: "/account/devices", Icon: "devices", Label: locales.Key("account.tab.devices"), Detail: "Signed in on 3 devices"},
			{URI: "/account/profile", Icon: "person", Label: locales.Key("account.tab.profile"), Detail: "Your name, picture, language and more"},
			{URI: "/account/apps", Icon: "plug", Label: locales.Key("account.tab.apps"), Detail: "What apps may use of your account"},
		},
	}, []string{"tasks", "notice", "sign-out"}},
	{"overview, nothing to do", Overview{Head: head}, []string{"fine"}},
	{"offer of backup codes", OfferBackupCodes{Notice: "Added."}, []string{"make-codes", "not-now"}},
	{"privacy", Privacy{Head: head, GraceDays: 14}, []string{"download", "erase"}},
	{"emails", Emails{
		Head: AccountHead{Person: grace, Mails: true, Page: "/account/emails"}, Notice: "Done.",
		Emails: []EmailItem{
			{ID: "e1", Address: "grace@example.com", Primary: true, Verified: true},
			{ID: "e2", Address: "g@example.org", Verified: true}, {ID: "e3", Address: "h@example.org"},
		},
	}, []string{"address", "add"}},
	{"emails, refused", Emails{Head: head, Typed: "x", Wrong: "No address."}, []string{"address-failure"}},
	{"phones", Phones{
		Head: phoneHead, Failure: "No.", Number: "12", Refused: "No number.", Wrong: "p4",
		Phones: []PhoneItem{
			{ID: "p1", Number: "+493012345", Primary: true, Verified: true}, {ID: "p2", Number: "+493012346", Verified: true},
			{ID: "p3", Number: "+493012347"}, {ID: "p4", Number: "+493012348"},
		},
	}, []string{"number", "add", "code", "verify", "code-p3", "verify-p3", "number-failure", "code-failure"}},
	{"phones, none can be verified", Phones{
		Head: head,
		Phones: []PhoneItem{
			{ID: "p1", Number: "+493012345", Primary: true, Verified: true}, {ID: "p3", Number: "+493012347"},
		},
	}, nil},
	{"sign in, with a phone", SignIn{Phones: true}, []string{"username"}},
	{"forgot password", ForgotPassword{}, []string{"login", "send"}},
	{"forgot password, sent", ForgotPassword{Sent: true}, nil},
	{"forgot password, no mail", ForgotPassword{NoMail: true}, []string{"no-mail", "back"}},
	{"emails, no mail", Emails{Head: AccountHead{Person: grace}, Emails: []EmailItem{
		{ID: "e1", Address: "grace@example.com", Primary: true, Verified: true}, {ID: "e2", Address: "g@example.org"},
	}}, []string{"no-mail"}},
	{"new password", NewPassword{Token: "t", Username: "grace", Failure: "Weak."}, []string{"username", "password", "choose"}},
	{"confirm", Confirm{
		Title: "Unlock your account", Text: "Because.", Action: "/unlock", Token: "t", Button: "Open",
	}, []string{"confirm"}},
	{"done", Done{Title: "Done", Text: "It is.", NextURI: "/account", NextLabel: "Go on"}, []string{"next"}},
	{"outbox", Outbox{
		Messages: []OutboxMessage{
			{To: "g@example.com", Subject: "Hello", Text: "Text", At: "now", Link: "http://localhost/x"},
		},
	}, nil},
	{"form post", FormPost{
		Action: "com.example.app:/back?a=1&b=2", Fields: []Field{{"code", "abc"}, {"state", "s"}},
	}, []string{"form-post"}},
	{"welcome", Welcome{Issuer: "https://id.example"}, []string{"account", "discovery"}},
	{"welcome, signed in", Welcome{Issuer: "https://id.example", SignedIn: true}, []string{"account", "discovery"}},
}

func render(t *testing.T, p Page) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := Write(w, http.StatusTeapot, locales.English, p); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusTeapot || w.Header().Get("Content-Type") != "text/html; charset=utf-8" ||
		len(w.Header()) != 1 {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	return w.Body.String()
}

// element is a start tag of a rendered page.
type element struct {
	name string
	attr map[string]string
	in   []string // the elements around it
}

// elements reads a page with a parser that is strict about what is opened and
// closed, so that a forgotten tag fails the test.
func elements(t *testing.T, html string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.ToValidUTF8(html, "\uFFFD")))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	// Not xml.HTMLAutoClose: it closes <link> and <meta> and forgives the rest.
	d.AutoClose = []string{"meta", "link", "img", "input"}
	var all []element
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, html)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{token.Name.Local, map[string]string{}, slices.Clone(open)}
			for _, a := range token.Attr {
				if _, twice := e.attr[a.Name.Local]; twice {
					t.Errorf("<%s> has %s twice", e.name, a.Name.Local)
				}
				e.attr[a.Name.Local] = a.Value
			}
			all = append(all, e)
			open = append(open, e.name)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("</%s> closes %v", token.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestPagesHoldTheirIDs(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			seen := map[string]int{}
			for _, e := range elements(t, render(t, s.page)) {
				if id := e.attr["id"]; id != "" {
					seen[id]++
				}
			}
			for id, n := range seen {
				if n > 1 {
					t.Errorf("id %s stands %d times", id, n)
				}
			}
			for _, id := range s.ids {
				if seen[id] == 0 {
					t.Errorf("no id %s", id)
				}
			}
		})
	}
}

func TestPagesAreAccessible(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			html := render(t, s.page)
			labelled, ids := map[string]bool{}, map[string]bool{}
			headings, focus := 0, 0
			all := elements(t, html)
			for _, e := range all {
				labelled[e.attr["for"]] = true
				ids[e.attr["id"]] = true
			}
			for _, e := range all {
				if e.name == "h1" {
					headings++
				}
				if _, ok := e.attr["autofocus"]; ok {
					focus++
				}
				if (e.name == "input" || e.name == "textarea") && e.attr["type"] != "hidden" && !labelled[e.attr["id"]] &&
					!slices.Contains(e.in, "label") {
					t.Errorf("<input name=%s> has no label", e.attr["name"])
				}
				if _, ok := e.attr["alt"]; e.name == "img" && !ok {
					t.Error("<img> without alt")
				}
				for _, a := range []string{"aria-describedby", "aria-labelledby"} {
					for _, to := range strings.Fields(e.attr[a]) {
						if !ids[to] {
							t.Errorf("%s=%s leads nowhere", a, to)
						}
					}
				}
				if e.attr["target"] == "_blank" && e.attr["rel"] != "noopener noreferrer" {
					t.Errorf("<a href=%s> tells the app where the person comes from", e.attr["href"])
				}
			}
			if headings != 1 || focus > 1 {
				t.Errorf("%d h1, %d autofocus", headings, focus)
			}
			for _, want := range []string{`<html lang="en">`, `<meta name="viewport" `, `<meta name="referrer" content="same-origin">`, ` · Wicket</title>`} {
				if !strings.Contains(html, want) {
					t.Errorf("no %s", want)
				}
			}
		})
	}
}

// A page comes to no more than 60 KB with all that it loads from here.
func TestPagesAreSmall(t *testing.T) {
	for _, s := range samples {
		html := render(t, s.page)
		size := len(html)
		for _, e := range elements(t, html) {
			for _, address := range []string{e.attr["href"], e.attr["src"]} {
				if strings.HasPrefix(address, assets.Root) {
					w := httptest.NewRecorder()
					assets.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
					size += w.Body.Len()
				}
			}
		}
		if size > 60_000 {
			t.Errorf("%s: %d bytes", s.name, size)
		}
	}
}

// inert reports what in a page a strict Content-Security-Policy would have to
// stop, and every address that is not one a page may lead to.
func inert(t *testing.T, html string) {
	t.Helper()
	for _, e := range elements(t, html) {
		for name, value := range e.attr {
			if name == "style" || strings.HasPrefix(name, "on") || name == "srcdoc" {
				t.Errorf("<%s %s=%q>", e.name, name, value)
			}
			switch name {
			case "href", "src", "action", "formaction":
				if name == "src" && e.name == "img" && strings.HasPrefix(value, "data:image/png;base64,") {
					continue // a picture that we have drawn
				}
				if _, isFile := e.attr["download"]; isFile && strings.HasPrefix(value, "data:text/plain;charset=utf-8,") {
					continue // a file that we have written
				}
				u, err := url.Parse(value)
				if err != nil || !slices.Contains([]string{"", "http", "https", "com.example.app"}, u.Scheme) {
					t.Errorf("<%s %s=%q>", e.name, name, value)
				}
			}
		}
		switch e.name {
		case "style", "iframe", "object", "base":
			t.Errorf("<%s>", e.name)
		case "script":
			if !strings.HasPrefix(e.attr["src"], "/assets/") {
				t.Errorf("<script src=%q>", e.attr["src"])
			}
		}
	}
}

func TestPagesNeedNothingInline(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) { inert(t, render(t, s.page)) })
	}
}

// poison returns a copy of v with every string in it replaced.
func poison(v reflect.Value, with string) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	switch v.Kind() {
	case reflect.String:
		c.SetString(with)
	case reflect.Pointer:
		if !v.IsNil() {
			p := reflect.New(v.Type().Elem())
			p.Elem().Set(poison(v.Elem(), with))
			c.Set(p)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			c.Field(i).Set(poison(v.Field(i), with))
		}
	case reflect.Map:
		c = reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			c.SetMapIndex(key, poison(v.MapIndex(key), with))
		}
	case reflect.Slice:
		c = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(poison(v.Index(i), with))
		}
	}
	return c
}

func TestHostileStringsStayText(t *testing.T) {
	for _, hostile := range []string{
		`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `" onfocus="alert(1)" autofocus="`,
		`</title></textarea></style><script>alert(1)</script>`, `javascript:alert(1)`, " JaVaScRiPt:alert(1)",
		"java\tscript:alert(1)", `data:text/html,<script>alert(1)</script>`, `vbscript:x`, "{{.}}\x00\xff",
	} {
		for _, s := range samples {
			page := poison(reflect.ValueOf(s.page), hostile).Interface().(Page)
			if form, ok := page.(FormPost); ok {
				// The one address that must not be filtered is refused instead.
				w := httptest.NewRecorder()
				err := Write(w, http.StatusOK, locales.English, form)
				if err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
					t.Errorf("form to %q: %v, wrote %q", hostile, err, w.Body)
				}
				form.Action = "https://app.example/back"
				page = form
			}
			html := render(t, page)
			inert(t, html)
			for _, raw := range []string{"<script>alert", "<img src=x", `" onfocus="`} {
				if strings.Contains(html, raw) {
					t.Errorf("%s: %q stands in the page", s.name, raw)
				}
			}
		}
	}
}

func TestFormPostKeepsTheAddress(t *testing.T) {
	for _, action := range []string{"https://app.example/back?a=1&b=2", "http://127.0.0.1:8080/back", "com.example.app:/back?a=1&b=2", "example://back"} {
		got := ""
		for _, e := range elements(t, render(t, FormPost{Action: action, Fields: []Field{{"code", "abc"}}})) {
			if e.name == "form" {
				got = e.attr["action"]
			}
		}
		if got != action {
			t.Errorf("form to %q, want %q", got, action)
		}
	}
}

func TestSignedOutLeadsBackToEveryScheme(t *testing.T) {
	if html := render(
		t, SignedOut{ReturnURI: "com.example.app:/bye"},
	); !strings.Contains(html, `href="com.example.app:/bye"`) {
		t.Error(html)
	}
	if html := render(t, SignedOut{ReturnURI: "javascript:alert(1)"}); strings.Contains(html, `id="return"`) {
		t.Error(html)
	}
}

// There is one line between the first way to sign in and all others, and the last one that was used comes first.
func TestWaysToSignIn(t *testing.T) {
	ceremony := &Ceremony{Options: "{}", State: "s"}
	for name, c := range map[string]struct {
		page  SignIn
		order []string // ids
		or    int
	}{
		"password alone": {SignIn{}, []string{"sign-in"}, 0},
		"all":            {SignIn{Ceremony: ceremony, Providers: Providers{Buttons: providers[:2]}}, []string{"sign-in", "passkey", "with-google", "with-microsoft"}, 1},
		"passkey last": {
			SignIn{Ceremony: ceremony, LastWay: ByPasskey, Providers: Providers{Buttons: providers[:1]}},
			[]string{"passkey", "sign-in", "with-google"}, 1,
		},
		"provider last": {
			SignIn{LastWay: "microsoft", Providers: Providers{Buttons: providers[:2]}},
			[]string{"sign-in", "with-microsoft", "with-google"}, 1,
		},
		"no password": {
			SignIn{NoPassword: true, UsernameFixed: true, Ceremony: ceremony, Providers: Providers{Buttons: providers[:1]}},
			[]string{"passkey", "with-google"}, 1,
		},
	} {
		html := render(t, c.page)
		at := 0
		for _, id := range c.order {
			next := strings.Index(html, `id="`+id+`"`)
			if next < at {
				t.Errorf("%s: %s is not where it should be in %v", name, id, c.order)
			}
			at = next
		}
		if or := strings.Count(html, `class="or"`); or != c.or {
			t.Errorf("%s: %d lines between ways, want %d", name, or, c.or)
		}
		if marked := strings.Count(html, "Last used"); (marked == 1) != (c.page.LastWay != "") {
			t.Errorf("%s: %d ways are marked", name, marked)
		}
	}
}

func TestConsentPostsOnlyWhatCanBeLeftOut(t *testing.T) {
	var ticked []string
	for _, e := range elements(t, render(t, Consent{App: notes, Asked: Asked{Scopes: []Scope{
		{Name: "openid", Title: "a", Required: true}, {Name: "email", Title: "b"}, {Name: "phone", Title: "c"},
	}, Claims: []Claim{{Name: "birthdate", Title: "d"}}}})) {
		if _, checked := e.attr["checked"]; checked {
			ticked = append(ticked, e.attr["name"]+" "+e.attr["value"])
		}
	}
	if !slices.Equal(ticked, []string{"scope email", "scope phone", "claim birthdate"}) {
		t.Error(ticked)
	}
}

func TestCurrentDeviceComesFirst(t *testing.T) {
	a := Devices{Devices: []Device{{ID: "1"}, {ID: "2"}, {ID: "3", Current: true}}}
	var order string
	for _, d := range a.Listed() {
		order += d.ID
	}
	if order != "312" || a.Devices[0].ID != "1" {
		t.Error(order)
	}
}

func TestWhatPeopleAndAppsAreCalled(t *testing.T) {
	for _, c := range []struct {
		person                     Person
		display, account, initials string
	}{
		{Person{Username: "grace", Name: "Grace Hopper", Email: "g@example.com"}, "Grace Hopper", "g@example.com", "GH"},
		{Person{Username: "grace", Name: "Grace Brewster Murray Hopper", Email: ""}, "Grace Brewster Murray Hopper", "grace", "GH"},
		{Person{Username: "grace.hopper", Name: " ", Email: ""}, "grace.hopper", "", "GH"},
		{Person{Username: "grace", Name: "", Email: "g@example.com"}, "grace", "g@example.com", "G"},
		{Person{Username: "g@example.com", Name: "", Email: "g@example.com"}, "g@example.com", "", "GC"},
		{Person{Username: "élodie", Name: "élodie d'Été", Email: ""}, "élodie d'Été", "élodie", "ÉD"},
		{Person{Username: "山田", Name: "山田 太郎", Email: ""}, "山田 太郎", "山田", "山太"},
		{Person{Username: "--", Name: "", Email: ""}, "--", "", "?"},
		{Person{}, "", "", "?"},
	} {
		if d, a, i := c.person.Display(), c.person.Account(), c.person.Initials(); d != c.display || a != c.account ||
			i != c.initials {
			t.Errorf("%+v: %q %q %q", c.person, d, a, i)
		}
	}
	for name, want := range map[string]string{"harbour": "H", "«été»": "É", "7days": "7", "": "", "!": ""} {
		if got := (App{Name: name}).Monogram(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
