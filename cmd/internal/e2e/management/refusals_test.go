package management

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/cache"
)

var shownReference = regexp.MustCompile(`id="reference">([A-Z2-7]{8})<`)

// referenceOn is the reference that a page shows.
func referenceOn(t *testing.T, shown harness.Page) string {
	t.Helper()
	match := shownReference.FindStringSubmatch(shown.Text)
	if match == nil {
		t.Fatalf("no reference is shown: %s %s\n%s", shown.Status, shown.Path(), shown.Text)
	}
	if id := shown.Header.Get("X-Request-Id"); !strings.HasPrefix(id, match[1]) {
		t.Errorf("the request %s has the reference %s", id, match[1])
	}
	return match[1]
}

// refusal asks what is known of a refusal.
func (c caller) refusal(t *testing.T, reference string) answer {
	t.Helper()
	c.Refused.Drain(t.Context())
	return c.must(t, http.StatusOK, http.MethodGet, "/api/v1/refusals/"+url.PathEscape(reference), nil)
}

// texts is a list of texts in an answer, with spaces between them.
func (a answer) texts(name string) string {
	var all []string
	for _, item := range a.JSON[name].([]any) {
		all = append(all, item.(string))
	}
	return strings.Join(all, " ")
}

// Who is refused reads out a reference; by that an administrator finds out why, and lets the app in.
func TestARefusalIsExplainedAndMended(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		manager, owner := keyFor(t, h, administrators.AppManager), keyFor(t, h, administrators.Owner)
		client, b := h.AddClient(t, nil), h.NewBrowser(t)
		wrong := h.AuthorizeURL(client, url.Values{"redirect_uri": {harness.RedirectURI + "/"}})
		reference := referenceOn(t, b.Get(t, wrong))
		found := manager.refusal(t, strings.ToLower(reference[:4]+"-"+reference[4:]))
		if found.JSON["reference"] != reference || found.JSON["where"] != "authorize" ||
			found.JSON["client_id"] != client.ID || found.JSON["error"] != "invalid_request" || found.JSON["cause"] != "refused.redirect.slash" ||
			found.texts("expected") != harness.RedirectURI || found.texts("got") != harness.RedirectURI+"/" ||
			!strings.Contains(found.JSON["explanation"].(string), "slash") || found.JSON["ip"] != nil {
			t.Errorf("explained as %s", found.Text)
		}
		if whole := owner.refusal(t, found.JSON["request_id"].(string)); whole.JSON["ip"] == "" ||
			whole.JSON["reference"] != reference {
			t.Errorf("to the owner: %s", whole.Text)
		}
		mend := "/api/v1/refusals/" + reference + "/mend"
		for _, try := range []struct {
			by        caller
			tag, code string
			status    int
		}{
			{by: manager, status: http.StatusPreconditionRequired, code: "precondition.required"},
			{by: manager, tag: `"another"`, status: http.StatusPreconditionFailed, code: "precondition.failed"},
			{by: keyFor(t, h, administrators.Auditor), tag: "*", status: http.StatusForbidden, code: "forbidden.role"},
		} {
			got := try.by.must(t, try.status, http.MethodPost, mend, map[string]any{}, "If-Match", try.tag)
			if got.code() != try.code {
				t.Errorf("mend with %q: %s", try.tag, got.Text)
			}
		}
		if shown := b.Get(t, wrong); shown.StatusCode != http.StatusBadRequest {
			t.Errorf("let in before it was mended: %s", shown.Status)
		}
		tag := found.Header.Get("ETag")
		mended := manager.must(t, http.StatusOK, http.MethodPost, mend, map[string]any{}, "If-Match", tag)
		if got := mended.texts("redirect_uris"); got != harness.RedirectURI+" "+harness.RedirectURI+"/" {
			t.Errorf("mended to %s", mended.Text)
		}
		if shown := b.Get(t, wrong); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Errorf("refused after it was mended: %s\n%s", shown.Status, shown.Text)
		}
		manager.must(t, http.StatusPreconditionFailed, http.MethodPost, mend, map[string]any{}, "If-Match", tag)
		again := manager.must(t, http.StatusConflict, http.MethodPost, mend, map[string]any{}, "If-Match", "*")
		if after := manager.refusal(t, reference); again.code() != "mend.none" || after.JSON["cause"] != "refused.mended" ||
			after.JSON["mend"] != nil {
			t.Errorf("afterwards: %s\n%s", again.Text, after.Text)
		}
		changed, err := h.Clients.Fresh(t.Context(), client.ID)
		if err != nil || changed.ModifiedBy == client.ModifiedBy ||
			!slices.Equal(changed.SecretHash, client.SecretHash) || !slices.Equal(changed.Scopes, client.Scopes) {
			t.Errorf("the app became %+v, %v", changed, err)
		}
	})
}

// An address that anybody can send is not registered by a click alone, where it leads to somebody else's host.
func TestNewHostIsRepeated(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.AppManager)
		client := h.AddClient(t, nil)
		reference := referenceOn(t, h.NewBrowser(t).Get(t, h.AuthorizeURL(client, url.Values{
			"redirect_uri": {"https://evil.example/steal"},
		})))
		found := c.refusal(t, reference)
		if change, _ := found.JSON["mend"].(map[string]any); change["new_host"] != "evil.example" {
			t.Fatal(found.Text)
		}
		path, tag := "/api/v1/refusals/"+reference+"/mend", found.Header.Get("ETag")
		for _, host := range []string{"", "example", "evil.example/steal"} {
			got := c.must(t, http.StatusUnprocessableEntity, http.MethodPost, path, map[string]any{"new_host": host},
				"If-Match", tag)
			if got.code() != "mend.new_host" {
				t.Error(got.Text)
			}
		}
		c.must(t, http.StatusOK, http.MethodPost, path, map[string]any{"new_host": "Evil.example"}, "If-Match", tag)
	})
}

// refuse is a way to be refused, and what is known of it then.
type refuse struct {
	what          string
	do            func() harness.Page // nil: call is
	call          func() harness.Answer
	where, reason string
	cause         string // less its beginning
	expected, got string
}

// Whatever is refused is found by the request, with what was expected and what came, and with no secret.
func TestWhatIsRefusedIsExplained(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		h.Refused.Allowances = refusals.Allowances{
			Network: cache.Rate{N: 1000, Per: time.Minute}, Cause: cache.Rate{N: 1000, Per: time.Minute},
			All: cache.Rate{N: 1000, Per: time.Minute},
		}
		c, b := keyFor(t, h, administrators.Owner), h.NewBrowser(t)
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		app := h.AddClient(t, func(c *clients.Client) { c.GrantTypes = []string{oidc.GrantCode, oidc.GrantRefreshToken} })
		other := h.AddClient(t, func(c *clients.Client) {
			c.Name, c.RedirectURIs = "Wiki", []string{"https://wiki.example/cb"}
		})
		public := h.AddClient(t, func(c *clients.Client) { c.AuthMethod = clients.AuthNone })
		staffs := h.AddClient(t, func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"staff"} })
		const secret = "s3cr3tS3CR3Ts3cr3tS3CR3T"
		wrong := harness.Client{Client: app.Client, Secret: secret}
		unknown := harness.Client{Client: &clients.Client{ID: secret}, Secret: secret}
		ask := func(client harness.Client, change url.Values) func() harness.Page {
			return func() harness.Page { return b.Get(t, h.AuthorizeURL(client, change)) }
		}
		token := func(client harness.Client, form url.Values) func() harness.Answer {
			return func() harness.Answer { return h.Call(t, oidc.PathToken, client, form) }
		}
		code := func(change url.Values) url.Values {
			form := url.Values{
				"grant_type": {oidc.GrantCode}, "code": {b.Code(t, app, nil)}, "redirect_uri": {harness.RedirectURI},
				"code_verifier": {harness.CodeVerifier},
			}
			for name, values := range change {
				form[name] = values
			}
			return form
		}
		used := code(nil)
		if got := h.Call(t, oidc.PathToken, app, used); got.Status != http.StatusOK {
			t.Fatal(got.JSON)
		}
		for _, try := range []refuse{
			{
				what: "an app that there is none of", do: ask(unknown, nil), where: "authorize", reason: oidc.UnknownClient,
				cause: "client", got: "s3cr…",
			},
			{
				what: "an address with a secret", do: ask(app, url.Values{"redirect_uri": {harness.RedirectURI + "?code=" + secret}}),
				where: "authorize", reason: oidc.WrongRedirectURI, cause: "redirect.query", expected: harness.RedirectURI,
				got: harness.RedirectURI + "?…",
			},
			{
				what: "another app's address", do: ask(app, url.Values{"redirect_uri": {"https://wiki.example/cb"}}),
				where: "authorize", reason: oidc.WrongRedirectURI, cause: "redirect.other_app", expected: harness.RedirectURI,
				got: "https://wiki.example/cb",
			},
			{
				what: "no PKCE", do: ask(public, url.Values{"code_challenge": {""}, "code_challenge_method": {""}}),
				where: "authorize", reason: oidc.MissingPKCE, cause: "pkce.public",
			},
			{
				what: "scopes of nobody", do: ask(app, url.Values{"scope": {"orders:read " + secret}}), where: "authorize",
				reason: oidc.NoScope, cause: "scope.unknown", expected: strings.Join(app.Scopes, " "), got: "orders:read s3cr…",
			},
			{
				what: "a response type", do: ask(app, url.Values{"response_type": {"device"}}), where: "authorize",
				reason: oidc.WrongResponseType, cause: "response_type", expected: "code", got: "device",
			},
			{
				what: "the app of others", do: ask(staffs, nil), where: "access", reason: oidc.ExcludedPerson,
				cause: "access.groups", expected: "staff",
			},
			{
				what: "the end of a session", where: "logout", reason: oidc.WrongLogoutURI, cause: "redirect.path",
				do: func() harness.Page {
					return h.NewBrowser(t).Get(t, "/logout?"+url.Values{
						"client_id": {app.ID}, "post_logout_redirect_uri": {harness.LogoutURI + "bye"},
					}.Encode())
				},
				expected: harness.LogoutURI, got: harness.LogoutURI + "bye",
			},
			{
				what: "a wrong secret", call: token(wrong, code(nil)), where: "token", reason: oidc.WrongCredentials,
				cause: "secret.wrong", expected: "client_secret_post", got: "client_secret_post " + app.ID,
			},
			{
				what: "no secret", call: token(harness.Client{Client: app.Client}, code(nil)), where: "token",
				reason: oidc.WrongCredentials, cause: "secret.missing", expected: "client_secret_post", got: "none " + app.ID,
			},
			{
				what: "the secret in the place of the id", call: token(unknown, code(nil)), where: "token",
				reason: oidc.WrongCredentials, cause: "client", got: "client_secret_post s3cr…",
			},
			{
				what: "a grant type", call: token(app, url.Values{"grant_type": {oidc.GrantClientCredentials}}), where: "token",
				reason: oidc.NoGrantType, cause: "grant_type.unregistered", expected: "authorization_code refresh_token",
				got: "client_credentials",
			},
			{
				what: "a grant type of nobody", call: token(app, url.Values{"grant_type": {"password"}}), where: "token",
				reason: oidc.UnknownGrantType, cause: "grant_type.unknown", expected: strings.Join(oidc.GrantTypes, " "),
				got: "password",
			},
			{
				what: "another redirect URI", call: token(app, code(url.Values{"redirect_uri": {harness.RedirectURI + "/"}})),
				where: "token", reason: oidc.OtherRedirectURI, cause: "redirect.changed", expected: harness.RedirectURI,
				got: harness.RedirectURI + "/",
			},
			{
				what: "another verifier", call: token(app, code(url.Values{"code_verifier": {strings.Repeat("x", 43)}})),
				where: "token", reason: oidc.WrongVerifier, cause: "pkce.verifier",
			},
			{
				what: "no code of ours", call: token(app, code(url.Values{"code": {secret}})), where: "token",
				reason: oidc.UnknownCode, cause: "code.unknown",
			},
			{what: "a used code", call: token(app, used), where: "token", reason: oidc.UsedCode, cause: "code.used"},
			{
				what: "another app's code", call: token(other, code(nil)), where: "token", reason: oidc.OthersCode,
				cause: "code.another_app", expected: app.ID, got: other.ID,
			},
			{
				what: "no refresh token of ours", where: "token", reason: oidc.UnknownRefreshToken, cause: "refresh.unknown",
				call: token(app, url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {secret}}),
			},
			{
				what: "a device", where: "device", reason: oidc.NoGrantType, cause: "grant_type.unregistered",
				call:     func() harness.Answer { return h.Call(t, oidc.PathDeviceRequest, app, url.Values{}) },
				expected: "authorization_code refresh_token", got: oidc.GrantDeviceCode,
			},
			{
				what: "what is pushed", where: "par", reason: oidc.WrongRedirectURI, cause: "redirect.unregistered",
				call: func() harness.Answer {
					return h.Call(t, oidc.PathPAR, app, url.Values{
						"response_type": {"code"}, "redirect_uri": {"https://new.example/cb"},
					})
				},
				expected: harness.RedirectURI, got: "https://new.example/cb",
			},
		} {
			var header http.Header
			if try.do != nil {
				header = try.do().Header
			} else {
				header = try.call().Header
			}
			found := c.refusal(t, header.Get("X-Request-Id"))
			cause, _ := found.JSON["cause"].(string)
			if found.JSON["where"] != try.where || found.JSON["reason"] != try.reason || cause != "refused."+try.cause ||
				found.texts("expected") != try.expected || found.texts("got") != try.got {
				t.Errorf("%s: explained as %s", try.what, found.Text)
			}
		}
		if text := harness.DumpAll(t, h.Database); strings.Contains(text, secret) {
			t.Error("a secret is in the database")
		}
	})
}

// Refusals are listed by app, by place and by person; who may not read of people sees none of them.
func TestRefusalsAreListed(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		owner := keyFor(t, h, administrators.Owner)
		apps := keyFor(t, h, administrators.Owner, func(k *manage.NewAPIKey) {
			k.Permissions = []manage.Permission{manage.ReadClients}
		})
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		one, b := h.AddClient(t, nil), h.NewBrowser(t)
		staffs := h.AddClient(t, func(c *clients.Client) { c.Access, c.AccessGroups = access.Listed, []string{"staff"} })
		shown := b.SignIn(t, b.Get(t, h.AuthorizeURL(staffs, nil)))
		reference := referenceOn(t, shown)
		for range 2 {
			b.Get(t, h.AuthorizeURL(one, url.Values{"redirect_uri": {"https://x.example/"}}))
		}
		// What apps ask every few minutes is no refusal.
		b.Get(t, h.AuthorizeURL(one, url.Values{"prompt": {"none"}, "max_age": {"0"}}))
		h.Refused.Drain(t.Context())
		for query, want := range map[string]int{
			"": 3, "client_id=" + one.ID: 2, "client_id=" + staffs.ID: 1, "where=access": 1, "where=token": 0,
			"user_id=" + h.User.ID.String(): 1, "reference=" + strings.ToLower(reference): 1, "reference=QQQQQQQQ": 0,
			"client_id=" + one.ID + "&where=authorize": 2,
		} {
			listed := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/refusals?"+query, nil)
			if got := len(listed.JSON["items"].([]any)); got != want {
				t.Errorf("%q: %d instead of %d: %s", query, got, want, listed.Text)
			}
		}
		first := owner.must(t, http.StatusOK, http.MethodGet, "/api/v1/refusals?limit=2", nil)
		after := "/api/v1/refusals?limit=2&cursor=" + first.JSON["next"].(string)
		rest := owner.must(t, http.StatusOK, http.MethodGet, after, nil)
		items := slices.Concat(first.JSON["items"].([]any), rest.JSON["items"].([]any))
		if len(items) != 3 || items[2].(map[string]any)["reference"] != reference || rest.JSON["next"] != nil {
			t.Errorf("in parts: %s %s", first.Text, rest.Text)
		}
		if theirs := items[2].(map[string]any); theirs["user_id"] != h.User.ID.String() || theirs["ip"] == nil {
			t.Errorf("to the owner: %v", theirs)
		}
		for _, item := range apps.must(t, http.StatusOK, http.MethodGet, "/api/v1/refusals", nil).JSON["items"].([]any) {
			if item := item.(map[string]any); item["user_id"] != nil || item["ip"] != nil {
				t.Errorf("to who may see apps alone: %v", item)
			}
		}
		apps.must(t, http.StatusForbidden, http.MethodGet, "/api/v1/refusals?user_id="+h.User.ID.String(), nil)
		owner.must(t, http.StatusUnprocessableEntity, http.MethodGet, "/api/v1/refusals?where=nowhere", nil)
		owner.must(t, http.StatusNotFound, http.MethodGet, "/api/v1/refusals/QQQQQQQQ", nil)
		file := b.Post(t, "/account/download", url.Values{})
		if !strings.Contains(file.Text, `"reference": "`+reference+`"`) {
			t.Errorf("what she takes along says nothing of it: %s", file.Status)
		}
	})
}

// Why a provider upstream did not sign somebody in is kept for who runs the server; the person is shown where it is.
func TestRefusalOfAProvider(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c, client := keyFor(t, h, administrators.Support), h.AddClient(t, nil)
		provider := h.StartProvider(t, "scripted", nil)
		provider.Say(func(p *harness.ScriptedProvider) {
			p.Claims = func(claims map[string]any) { claims["aud"] = "another" }
		})
		b := h.NewBrowser(t)
		shown := b.ToUpstream(t, "scripted", b.Get(t, h.AuthorizeURL(client, nil)))
		found := c.refusal(t, referenceOn(t, shown))
		if found.JSON["where"] != "federation" || found.JSON["error"] != "provider.response" ||
			found.JSON["client_id"] != client.ID || found.texts("got") != "scripted" ||
			!strings.Contains(found.JSON["explanation"].(string), "not valid") {
			t.Errorf("explained as %s", found.Text)
		}
		provider.Say(func(p *harness.ScriptedProvider) {
			p.Answer = func(parameters url.Values) {
				parameters.Del("code")
				parameters.Set("error", "server_error")
				parameters.Set("error_description", "It is broken.")
			}
		})
		shown = b.ToUpstream(t, "scripted", b.Get(t, h.AuthorizeURL(client, nil)))
		if found := c.refusal(t, referenceOn(t, shown)); found.JSON["error"] != "provider.refuses" {
			t.Errorf("explained as %s", found.Text)
		}
	})
}
