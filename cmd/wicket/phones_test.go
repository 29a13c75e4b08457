package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
	"github.com/wicket-id/wicket/web/notify"
)

var lastLineOfText = regexp.MustCompile(`\n@localhost #([0-9]{6})$`)

// texts waits until so many text messages went to a number, and returns the code in the last one.
func (h *openHouse) texts(t testing.TB, number string, count int) string {
	t.Helper()
	var codes []string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) { // polling
		codes = nil
		for _, letter := range h.Config().Outbox.Messages() { // the last one first
			if match := lastLineOfText.FindStringSubmatch(letter.Text); letter.Subject == notify.TextSubject && letter.To == number && match != nil {
				codes = append(codes, match[1])
			}
		}
		if len(codes) == count {
			return codes[0]
		}
	}
	t.Fatalf("%d text messages came to %s, not %d; there are %v", len(codes), number, count, h.Config().Outbox.Messages())
	return ""
}

const aliceNumber = "+493012345"

func TestPhonesAreClaimedAndVerified(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		b := h.browser(t)
		b.signIn(t, page{})
		if shown := b.get(t, "/account"); !strings.Contains(shown.body, `href="/account/phones"`) {
			t.Error("no way to the phones")
		}
		post := func(path string, form url.Values, want string) page {
			t.Helper()
			shown := b.post(t, "/account/phones/"+path, form)
			if !strings.Contains(shown.body, want) {
				t.Errorf("%s: %s, without %q:\n%s", path, shown.Status, want, shown.body)
			}
			return shown
		}
		phones := func(count int) []identity.Phone {
			t.Helper()
			phones, err := h.Identity.Phones().List(t.Context(), h.user.ID)
			if err != nil || len(phones) != count {
				t.Fatalf("%+v, %v", phones, err)
			}
			return phones
		}
		if shown := post("add", url.Values{"number": {"030 12345"}}, "country code"); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.body, `value="030 12345"`) {
			t.Errorf("no number: %s", shown.Status)
		}
		post("add", url.Values{"number": {"+49 (30) 123-45"}}, `id="code"`)
		post("add", url.Values{"number": {aliceNumber}}, "on your list already")
		h.mail(t, "A phone number was added to your account")
		id := phones(1)[0].ID.String()
		older := h.texts(t, aliceNumber, 1)
		post("resend", url.Values{"id": {id}}, "We have sent a code")
		code := h.texts(t, aliceNumber, 2)
		if older != code {
			post("verify", url.Values{"id": {id}, "code": {older}}, "This code is wrong")
		}
		if shown := post("verify", url.Values{"id": {id}, "code": {"12345"}}, `aria-invalid="true"`); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a wrong code: %s", shown.Status)
		}
		signIn := url.Values{"username": {"+49 30 12345"}, "password": {testPassword}}
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("a number that is not verified signs in: %s", shown.Status)
		}
		post("verify", url.Values{"id": {id}, "code": {code}}, "The number is verified")
		if shown := h.browser(t).post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK || !strings.Contains(shown.body, "Alice Example") {
			t.Errorf("a verified number does not sign in: %s", shown.Status)
		}
		post("verify", url.Values{"id": {id}, "code": {code}}, "This code is wrong")

		post("add", url.Values{"number": {"+15550100199"}}, `id="code"`)
		other := phones(2)[1].ID.String()
		post("verify", url.Values{"id": {other}, "code": {h.texts(t, "+15550100199", 1)}}, "The number is verified")
		post("remove", url.Values{"id": {id}}, "primary phone number")
		post("primary", url.Values{"id": {other}}, "primary number now")
		post("remove", url.Values{"id": {id}}, "removed")
		if left := phones(1); left[0].ID.String() != other || !left[0].IsPrimary {
			t.Errorf("left are %+v", left)
		}
		post("remove", url.Values{"id": {other}}, "You have none yet")
	})
}

func TestPhoneOfAnotherAccountIsNotVerifiedTwice(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		bob := h.register(t, identity.NewUser{Username: "bob", Password: testPassword})
		theirs, err := h.Identity.Phones().Add(t.Context(), h.reauthenticated(t, bob), aliceNumber)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.Phones().Verify(t.Context(), h.reauthenticated(t, bob), theirs.ID, h.texts(t, aliceNumber, 1)); err != nil {
			t.Fatal(err)
		}
		// It can be claimed, and nothing tells that it is Bob's until somebody reads his text messages.
		b := h.browser(t)
		b.signIn(t, page{})
		if shown := b.post(t, "/account/phones/add", url.Values{"number": {aliceNumber}}); shown.StatusCode != http.StatusOK {
			t.Errorf("claiming somebody else's number: %s", shown.Status)
		}
		phones, err := h.Identity.Phones().List(t.Context(), h.user.ID)
		if err != nil || len(phones) != 1 {
			t.Fatalf("%+v, %v", phones, err)
		}
		form := url.Values{"id": {phones[0].ID.String()}, "code": {h.texts(t, aliceNumber, 2)}}
		if shown := b.post(t, "/account/phones/verify", form); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.body, "belongs to another account") {
			t.Errorf("verifying somebody else's number: %s", shown.Status)
		}
		if shown := b.post(t, "/account/phones/verify", form); !strings.Contains(shown.body, "This code is wrong") {
			t.Errorf("the code works twice: %s", shown.Status)
		}
	})
}

func TestPhoneIsToldToAppsThatMayAsk(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		trusted := func(c *clients.Client) { c.IsTrusted = true }
		client, b := h.client(t, trusted), h.browser(t)
		access := h.redeem(t, client, b.code(t, client, url.Values{"scope": {"openid phone"}})).text("access_token")
		if _, told := h.userinfo(t, access).json["phone_number"]; told {
			t.Error("a number that is not there is told")
		}
		phone, err := h.Identity.Phones().Add(t.Context(), h.reauthenticated(t, h.user), aliceNumber)
		if err != nil {
			t.Fatal(err)
		}
		if _, told := h.userinfo(t, access).json["phone_number"]; told {
			t.Error("a number that is not verified is told")
		}
		if _, err := h.Identity.Phones().Verify(t.Context(), h.reauthenticated(t, h.user), phone.ID, h.texts(t, aliceNumber, 1)); err != nil {
			t.Fatal(err)
		}
		if told := h.userinfo(t, access).json; told["phone_number"] != aliceNumber || told["phone_number_verified"] != true {
			t.Errorf("told is %v", told)
		}
		without := h.redeem(t, client, b.code(t, client, url.Values{"scope": {"openid profile email"}})).text("access_token")
		if _, told := h.userinfo(t, without).json["phone_number"]; told {
			t.Error("without the scope it is told")
		}
		discovery := b.get(t, oidc.PathConfiguration).body
		for _, name := range []string{`"phone"`, `"phone_number"`, `"phone_number_verified"`} {
			if !strings.Contains(discovery, name) {
				t.Errorf("discovery does not tell of %s", name)
			}
		}
	})
}

func TestWithoutSMSNoPhoneIsTaken(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h, transport, _ := openSecureHouse(t, databaseURL) // it has no way to send anything
		b := h.browser(t)
		b.Transport = transport
		b.signIn(t, page{})
		if shown := b.get(t, "/account"); shown.StatusCode != http.StatusOK || strings.Contains(shown.body, "/account/phones") {
			t.Errorf("the account page leads to phones: %s", shown.Status)
		}
		shown := b.get(t, "/account/phones")
		if !strings.Contains(shown.body, "cannot be verified here") || strings.Contains(shown.body, `id="add"`) {
			t.Errorf("the page does not say so: %s", shown.Status)
		}
		if shown := b.post(t, "/account/phones/add", url.Values{"number": {aliceNumber}}); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.body, "cannot be verified here") {
			t.Errorf("adding: %s", shown.Status)
		}
		if phones, err := h.Identity.Phones().List(t.Context(), h.user.ID); err != nil || len(phones) != 0 {
			t.Errorf("%+v, %v", phones, err)
		}
	})
}

// A gateway that the variables name gets the code, at the second try if the first fails.
func TestTextMessagesGoOutByTheGateway(t *testing.T) {
	asked := make(chan url.Values, 10)
	var tries atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		asked <- r.PostForm
	}))
	t.Cleanup(gateway.Close)
	databaseURL := storagetest.URL(t, storage.SQLite)
	variables := map[string]string{
		"WICKET_DATABASE_URL": databaseURL,
		"WICKET_SECRET":       seal.NewMasterKey(),
		"WICKET_SMS_URL":      "twilio://AC1:token@" + strings.TrimPrefix(gateway.URL, "http://") + "?from=+15550100&insecure=1",
	}
	config, err := server.Load(variables)
	if err != nil {
		t.Fatal(err)
	}
	h := openTestHouse(t, databaseURL, func(c *configuration) { c.Outbox, c.SMS = nil, config.SMS })
	phone, err := h.Identity.Phones().Add(t.Context(), h.reauthenticated(t, h.user), aliceNumber)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case form := <-asked:
		code := regexp.MustCompile(`#([0-9]{6})$`).FindStringSubmatch(form.Get("Body"))
		if form.Get("To") != aliceNumber || code == nil {
			t.Fatalf("the gateway got %v", form)
		}
		if _, err := h.Identity.Phones().Verify(t.Context(), h.reauthenticated(t, h.user), phone.ID, code[1]); err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the gateway got nothing")
	}
}
