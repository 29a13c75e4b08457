package signin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

func TestPhonesAreClaimedAndVerified(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `href="/account/phones"`) {
			t.Error("no way to the phones")
		}
		post := func(path string, form url.Values, want string) harness.Page {
			t.Helper()
			shown := b.Post(t, "/account/phones/"+path, form)
			if !strings.Contains(shown.Text, want) {
				t.Errorf("%s: %s, without %q:\n%s", path, shown.Status, want, shown.Text)
			}
			return shown
		}
		phones := func(count int) []identity.Phone {
			t.Helper()
			phones, err := h.Identity.Phones().List(t.Context(), h.User.ID)
			if err != nil || len(phones) != count {
				t.Fatalf("%+v, %v", phones, err)
			}
			return phones
		}
		if shown := post(
			"add", url.Values{"number": {"030 12345"}}, "country code",
		); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, `value="030 12345"`) {
			t.Errorf("no number: %s", shown.Status)
		}
		post("add", url.Values{"number": {"+49 (30) 123-45"}}, `id="code"`)
		post("add", url.Values{"number": {harness.PhoneNumber}}, "on your list already")
		h.Mail(t, "A phone number was added to your account")
		id := phones(1)[0].ID.String()
		older := h.TextMessages(t, harness.PhoneNumber, 1)
		post("resend", url.Values{"id": {id}}, "We have sent a code")
		code := h.TextMessages(t, harness.PhoneNumber, 2)
		if older != code {
			post("verify", url.Values{"id": {id}, "code": {older}}, "This code is wrong")
		}
		if shown := post(
			"verify", url.Values{"id": {id}, "code": {"12345"}}, `aria-invalid="true"`,
		); shown.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a wrong code: %s", shown.Status)
		}
		signIn := url.Values{"username": {"+49 30 12345"}, "password": {harness.Password}}
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("a number that is not verified signs in: %s", shown.Status)
		}
		post("verify", url.Values{"id": {id}, "code": {code}}, "The number is verified")
		if shown := h.NewBrowser(t).Post(t, "/sign-in", signIn); shown.StatusCode != http.StatusOK ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("a verified number does not sign in: %s", shown.Status)
		}
		post("verify", url.Values{"id": {id}, "code": {code}}, "This code is wrong")

		post("add", url.Values{"number": {"+12025550199"}}, `id="code"`)
		other := phones(2)[1].ID.String()
		post("verify", url.Values{"id": {other}, "code": {h.TextMessages(t, "+12025550199", 1)}}, "The number is verified")
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
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		bob := h.Register(t, identity.NewUser{
			Username: "bob", Password: harness.Password, Email: "bob@example.com", EmailVerified: true,
		})
		theirs, err := h.Identity.Phones().Add(t.Context(), h.Reauthenticated(t, bob), harness.PhoneNumber)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.Phones().Verify(
			t.Context(), h.Reauthenticated(t, bob), theirs.ID, h.TextMessages(t, harness.PhoneNumber, 1),
		); err != nil {
			t.Fatal(err)
		}
		// It can be claimed, and nothing tells that it is Bob's until somebody reads his text messages.
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Post(
			t, "/account/phones/add", url.Values{"number": {harness.PhoneNumber}},
		); shown.StatusCode != http.StatusOK {
			t.Errorf("claiming somebody else's number: %s", shown.Status)
		}
		phones, err := h.Identity.Phones().List(t.Context(), h.User.ID)
		if err != nil || len(phones) != 1 {
			t.Fatalf("%+v, %v", phones, err)
		}
		form := url.Values{"id": {phones[0].ID.String()}, "code": {h.TextMessages(t, harness.PhoneNumber, 2)}}
		if shown := b.Post(t, "/account/phones/verify", form); shown.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(shown.Text, "belongs to another account") {
			t.Errorf("verifying somebody else's number: %s", shown.Status)
		}
		if shown := b.Post(t, "/account/phones/verify", form); !strings.Contains(shown.Text, "This code is wrong") {
			t.Errorf("the code works twice: %s", shown.Status)
		}
	})
}

func TestPhoneIsToldToAppsThatMayAsk(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		trusted := func(c *clients.Client) { c.IsTrusted = true }
		client, b := h.AddClient(t, trusted), h.NewBrowser(t)
		access := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid phone"}})).Text("access_token")
		if _, told := h.Userinfo(t, access).JSON["phone_number"]; told {
			t.Error("a number that is not there is told")
		}
		phone, err := h.Identity.Phones().Add(t.Context(), h.Reauthenticated(t, h.User), harness.PhoneNumber)
		if err != nil {
			t.Fatal(err)
		}
		if _, told := h.Userinfo(t, access).JSON["phone_number"]; told {
			t.Error("a number that is not verified is told")
		}
		if _, err := h.Identity.Phones().Verify(
			t.Context(), h.Reauthenticated(t, h.User), phone.ID, h.TextMessages(t, harness.PhoneNumber, 1),
		); err != nil {
			t.Fatal(err)
		}
		if told := h.Userinfo(t, access).JSON; told["phone_number"] != harness.PhoneNumber ||
			told["phone_number_verified"] != true {
			t.Errorf("told is %v", told)
		}
		without := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid profile email"}})).Text("access_token")
		if _, told := h.Userinfo(t, without).JSON["phone_number"]; told {
			t.Error("without the scope it is told")
		}
		discovery := b.Get(t, oidc.PathConfiguration).Text
		for _, name := range []string{`"phone"`, `"phone_number"`, `"phone_number_verified"`} {
			if !strings.Contains(discovery, name) {
				t.Errorf("discovery does not tell of %s", name)
			}
		}
	})
}

func TestWithoutSMSNoPhoneIsTaken(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h, _ := harness.StartSecure(t, databaseURL) // it has no way to send anything
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Get(t, "/account"); shown.StatusCode != http.StatusOK ||
			strings.Contains(shown.Text, "/account/phones") {
			t.Errorf("the account page leads to phones: %s", shown.Status)
		}
		shown := b.Get(t, "/account/phones")
		if !strings.Contains(shown.Text, "cannot be verified here") || strings.Contains(shown.Text, `id="add"`) {
			t.Errorf("the page does not say so: %s", shown.Status)
		}
		if shown := b.Post(
			t, "/account/phones/add", url.Values{"number": {harness.PhoneNumber}},
		); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, "cannot be verified here") {
			t.Errorf("adding: %s", shown.Status)
		}
		if phones, err := h.Identity.Phones().List(t.Context(), h.User.ID); err != nil || len(phones) != 0 {
			t.Errorf("%+v, %v", phones, err)
		}
	})
}

// A gateway that the variables name gets the code, at the second try if the first fails.
func TestTextMessagesGoOutByTheGateway(t *testing.T) {
	t.Parallel()
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
		"WICKET_SMS_URL": "twilio://AC1:token@" + strings.TrimPrefix(gateway.URL, "http://") +
			"?from=+15550100&insecure=1",
	}
	config, err := server.Load(variables)
	if err != nil {
		t.Fatal(err)
	}
	h := harness.Start(t, databaseURL, func(c *harness.Config) { c.Outbox, c.SMS = nil, config.SMS })
	phone, err := h.Identity.Phones().Add(t.Context(), h.Reauthenticated(t, h.User), harness.PhoneNumber)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case form := <-asked:
		code := regexp.MustCompile(`#([0-9]{6})$`).FindStringSubmatch(form.Get("Body"))
		if form.Get("To") != harness.PhoneNumber || code == nil {
			t.Fatalf("the gateway got %v", form)
		}
		if _, err := h.Identity.Phones().Verify(t.Context(), h.Reauthenticated(t, h.User), phone.ID, code[1]); err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the gateway got nothing")
	}
}
