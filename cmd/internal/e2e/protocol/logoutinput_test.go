package protocol

import (
	"context"
	"encoding/base64"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Every bad combination ends at a page, and never at an address that came with it.
func TestLogoutThatMustNotBeFollowed(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, other := h.AddClient(t, nil), h.AddClient(t, func(c *clients.Client) {
			c.PostLogoutRedirectURIs = []string{"https://other.example.com/bye"}
		})
		b := h.NewBrowser(t)
		hint := h.Redeem(t, client, b.Code(t, client, nil)).Text("id_token")
		parts := strings.Split(hint, ".")
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		for name, form := range map[string]url.Values{
			"another client's address and id": {"id_token_hint": {hint}, "client_id": {other.ID}, "post_logout_redirect_uri": {"https://other.example.com/bye"}},
			"an unknown client":               {"client_id": {"unknown"}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"NUL": {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI +
				"\x00"}},
			"charset": {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI +
				"\xff"}},
			"endless": {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI +
				strings.Repeat("a", 9000)}},
			"twice":        {"id_token_hint": {hint}, "post_logout_redirect_uri": {harness.LogoutURI, "https://evil.example/"}},
			"a hint twice": {"id_token_hint": {hint, hint}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a modified hint": {"id_token_hint": {parts[0] + "." + encode(
				strings.Replace(string(payload), client.ID, other.ID, 1),
			) + "." + parts[2]}, "post_logout_redirect_uri": {"https://other.example.com/bye"}},
			"a modified hint, the same client": {"id_token_hint": {parts[0] + "." + encode(
				strings.Replace(string(payload), `"sid"`, `"x":1,"sid"`, 1),
			) + "." + parts[2]}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a hint without a signature": {"id_token_hint": {parts[0] + "." + parts[1] +
				"."}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"alg none": {"id_token_hint": {encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] +
				"."}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"alg none, with a key": {"id_token_hint": {encode(
				`{"alg":"none","typ":"JWT","kid":"x"}`,
			) + "." + parts[1] + "." + parts[2]}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"an access token as a hint": {"id_token_hint": {h.Redeem(
				t, client, b.Code(t, client, nil),
			).Text("access_token")}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"nonsense as a hint":                  {"id_token_hint": {"nonsense"}, "post_logout_redirect_uri": {harness.LogoutURI}},
			"a hint that is not the client's own": {"id_token_hint": {hint}, "client_id": {other.ID}},
		} {
			for _, send := range []func() harness.Page{
				func() harness.Page { return b.Get(t, oidc.PathLogout+"?"+form.Encode()) },
				func() harness.Page { return b.Post(t, oidc.PathLogout, form) },
				func() harness.Page { return b.Post(t, "/logout/confirm", url.Values{"continue": {form.Encode()}}) },
				func() harness.Page { return h.NewBrowser(t).Get(t, oidc.PathLogout+"?"+form.Encode()) }, // nobody is signed in
			} {
				shown := send()
				if shown.StatusCode != http.StatusBadRequest || shown.Header.Get("Location") != "" ||
					shown.Header.Get("X-Evil") != "" || strings.Contains(shown.Text, `href="https://evil`) ||
					strings.Contains(shown.Text, `href="javascript`) {
					t.Errorf("%s: %s to %q", name, shown.Status, shown.Header.Get("Location"))
				}
			}
		}
		if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, "Alice Example") {
			t.Error("after all that she is signed out")
		}
	})
}

// Where the app asks for an address that is not registered for it, nobody is sent there; but the person is signed out
// as they meant, told why they stay, and led to the app by the address that is registered as its home.
func TestLogoutThatLeadsNowhere(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		const home = "https://app.example.com/home"
		client := h.AddClient(t, func(c *clients.Client) { c.ClientURI = home })
		homeless := h.AddClient(t, nil)
		h.AddClient(t, func(c *clients.Client) { c.PostLogoutRedirectURIs = []string{"https://other.example.com/bye"} })
		check := func(t *testing.T, what, id, way string, shown harness.Page) {
			t.Helper()
			if shown.StatusCode != http.StatusOK || shown.Header.Get("Location") != "" || shown.Header.Get("X-Evil") != "" ||
				!strings.Contains(shown.Text, `id="`+id+`"`) || len(shown.Attributes("meta", "http-equiv")) > 0 {
				t.Errorf("%s: %s to %q\n%s", what, shown.Status, shown.Header.Get("Location"), shown.Text)
			}
			links := shown.Attributes("a", "href")
			for _, link := range links {
				if !slices.Contains([]string{way, "/account", "/sign-in", "#main"}, link) {
					t.Errorf("%s: a link to %q", what, link)
				}
			}
			if way != "" && !slices.Contains(links, way) {
				t.Errorf("%s: it leads to %q, and should to %q", what, links, way)
			}
		}
		for name, address := range map[string]string{
			"an unregistered address":  "https://evil.example/",
			"a query added":            harness.LogoutURI + "?x=1",
			"a path added":             harness.LogoutURI + "x",
			"a fragment added":         harness.LogoutURI + "#x",
			"other case":               strings.ToUpper(harness.LogoutURI),
			"the sign-in's address":    harness.RedirectURI,
			"another client's address": "https://other.example.com/bye",
			"a script":                 "javascript:alert(1)",
			"lines":                    harness.LogoutURI + "\r\nX-Evil: 1",
			"long":                     harness.LogoutURI + strings.Repeat("a", 5000),
		} {
			to := "&state=s&post_logout_redirect_uri=" + url.QueryEscape(address)
			// With a hint of this very session: at once.
			b := h.NewBrowser(t)
			tokens := h.Redeem(t, client, b.Code(t, client, nil))
			hint := "id_token_hint=" + tokens.Text("id_token")
			check(t, name, "not-sent-back", home, b.Get(t, oidc.PathLogout+"?"+hint+to))
			if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
				t.Errorf("%s: still signed in", name)
			}
			if got := h.Refresh(t, client, tokens.Text("refresh_token")); got.Text("error") != "invalid_grant" {
				t.Errorf("%s: the refresh token lives on: %v", name, got.JSON)
			}
			// The session is gone: the same again, from any browser.
			check(t, name+", again", "not-sent-back", home, h.NewBrowser(t).Get(t, oidc.PathLogout+"?"+hint+to))
			// Without one: after the person says so.
			apps := map[string]string{client.ID: home}
			if name == "an unregistered address" {
				apps[homeless.ID], apps[""] = "", ""
			}
			for app, way := range apps {
				b.SignIn(t, harness.Page{})
				shown := b.Get(t, oidc.PathLogout+"?client_id="+app+to)
				check(t, name+", a question", "sign-out", "/account", shown)
				shown = b.Post(t, "/logout/confirm", url.Values{"continue": {html.UnescapeString(shown.Continue())}})
				check(t, name+", confirmed", "not-sent-back", way, shown)
				if shown := b.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
					t.Errorf("%s, confirmed: still signed in", name)
				}
				check(t, name+", nobody", "not-sent-back", way, b.Get(t, oidc.PathLogout+"?client_id="+app+to))
			}
		}
	})
}

// A hint whose session is gone leads back all the same, to the address that is registered.
func TestLogoutAfterTheSessionIsGone(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		back := "&state=s&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI)
		for name, end := range map[string]func(b *harness.Browser, sid uuid.UUID) error{
			"signed out": func(b *harness.Browser, _ uuid.UUID) error {
				b.Post(t, "/account/sign-out", url.Values{})
				return nil
			},
			"ended by the operator": func(_ *harness.Browser, sid uuid.UUID) error {
				_, err := h.Identity.Sessions().EndByOperator(t.Context(), sid)
				return err
			},
			"lapsed": func(_ *harness.Browser, sid uuid.UUID) error {
				return h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					_, err := tx.NewUpdate().Model((*identity.Session)(nil)).Set("expires_at = created_at").
						Where("id = ?", sid).Exec(ctx)
					return err
				})
			},
			"deleted": func(_ *harness.Browser, sid uuid.UUID) error {
				return h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
					_, err := tx.NewDelete().Model((*identity.Session)(nil)).Where("id = ?", sid).Exec(ctx)
					return err
				})
			},
		} {
			b := h.NewBrowser(t)
			hint := h.Redeem(t, client, b.Code(t, client, nil)).Text("id_token")
			sid, _ := harness.TokenClaims(t, hint)["sid"].(string)
			if err := end(b, uuid.MustParse(sid)); err != nil {
				t.Fatal(err)
			}
			for _, browser := range []*harness.Browser{b, h.NewBrowser(t)} {
				shown := browser.Get(t, oidc.PathLogout+"?id_token_hint="+hint+back)
				if location := shown.Header.Get("Location"); location != harness.LogoutURI+"?state=s" {
					t.Errorf("%s: %s to %q", name, shown.Status, location)
				}
			}
		}
	})
}

func TestLogoutThatIsFollowed(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, nil)
		signedIn := func(b *harness.Browser) bool {
			t.Helper()
			return !strings.Contains(b.Get(t, "/account").Text, `id="sign-in"`)
		}
		// With a hint of this very session: at once, and back with the state.
		for name, c := range map[string]struct{ form, want string }{
			"with a state": {"&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI) +
				"&state=a%26b%20%23", harness.LogoutURI + "?state=a%26b+%23"},
			"without a state": {"&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI), harness.LogoutURI},
			"to nowhere":      {"", ""},
		} {
			b := h.NewBrowser(t)
			tokens := h.Redeem(t, client, b.Code(t, client, nil))
			shown := b.Get(t, oidc.PathLogout+"?id_token_hint="+tokens.Text("id_token")+c.form)
			if location := shown.Header.Get("Location"); location != c.want || c.want == "" &&
				shown.StatusCode != http.StatusOK {
				t.Errorf("%s: %s to %q, want %q", name, shown.Status, location, c.want)
			}
			if signedIn(b) {
				t.Errorf("%s: still signed in", name)
			}
			if got := h.Refresh(t, client, tokens.Text("refresh_token")); got.Text("error") != "invalid_grant" {
				t.Errorf("%s: the refresh token lives on: %v", name, got.JSON)
			}
		}
		// With a hint of another session of the same person, of another person, or without one: the person is asked.
		first, second := h.NewBrowser(t), h.NewBrowser(t)
		h.Register(t, identity.NewUser{Username: "bob", Password: harness.Password})
		bob := h.NewBrowser(t)
		bob.Post(t, "/sign-in", url.Values{"username": {"bob"}, "password": {harness.Password}})
		firstHint := h.Redeem(t, client, first.Code(t, client, nil)).Text("id_token")
		second.Code(t, client, nil)
		back := "post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI) + "&state=s"
		for name, c := range map[string]struct {
			b     *harness.Browser
			query string
		}{
			"another session":          {second, "id_token_hint=" + firstHint + "&" + back},
			"another person":           {bob, "id_token_hint=" + firstHint + "&" + back},
			"no hint":                  {second, "client_id=" + client.ID + "&" + back},
			"no hint and no way back":  {second, "client_id=" + client.ID},
			"nothing at all":           {second, ""},
			"a state and nothing else": {second, "state=s"},
			"unknown parameters":       {second, "logout_hint=alice&ui_locales=de&x=1"},
		} {
			shown := c.b.Get(t, oidc.PathLogout+"?"+c.query)
			if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, `id="sign-out"`) {
				t.Errorf("%s: nobody is asked: %s to %q", name, shown.Status, shown.Header.Get("Location"))
			}
			if !signedIn(c.b) {
				t.Fatalf("%s: signed out without being asked", name)
			}
		}
		if !signedIn(first) {
			t.Error("a hint in another browser ended the session that it names")
		}
		// And the answer is kept to.
		shown := second.Get(t, oidc.PathLogout+"?client_id="+client.ID+"&"+back)
		shown = second.Post(t, "/logout/confirm", url.Values{"continue": {html.UnescapeString(shown.Continue())}})
		if shown.Header.Get("Location") != harness.LogoutURI+"?state=s" || signedIn(second) {
			t.Errorf("confirmed: %s to %q", shown.Status, shown.Header.Get("Location"))
		}
		// An expired hint names its session all the same; a visitor's browser with nothing sees a page.
		if shown := h.NewBrowser(t).Get(t, oidc.PathLogout); shown.StatusCode != http.StatusOK ||
			shown.Header.Get("Location") != "" {
			t.Errorf("nobody and nothing: %s", shown.Status)
		}
	})
}
