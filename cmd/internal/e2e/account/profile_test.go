package account

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestProfileGoesFromThePageToApps(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b, client := h.NewBrowser(t), h.AddClient(t, nil)
		access := h.Redeem(t, client, b.Code(t, client, url.Values{"scope": {"openid profile address"}})).Text("access_token")
		// The claim counts seconds; this test does not wait for one.
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewRaw(
				"UPDATE profiles SET modified_at = ? WHERE user_id = ?", h.User.CreatedAt.AddDate(0, 0, -1), h.User.ID,
			).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before := h.Userinfo(t, access).JSON
		if before["name"] != "Alice Example" || before["address"] != nil || before["birthdate"] != nil {
			t.Fatalf("before: %v", before)
		}
		told := url.Values{
			"name": {"Älice \"Ex\" <Ample>"}, "given_name": {"Älice"}, "middle_name": {"B."}, "family_name": {"Ample"},
			"nickname": {" ali "}, "gender": {"female"},
			"birthdate": {"0000-02-29"}, "profile": {"https://example.com/alice?a=1&b=2"},
			"picture": {"http://localhost:1/alice.png"}, "website": {"https://älice.example/"},
			"locale": {"de_ch"}, "zoneinfo": {"Europe/Zurich"},
			"street_address": {"Gasse 1\r\nHaus 2"}, "formatted": {"Gasse 1\r\n8000 Zürich"}, "postal_code": {"8000"},
			"locality": {"Zürich"}, "region": {"ZH"}, "country": {"Schweiz"},
		}
		shown := b.Post(t, "/account/profile", told)
		if shown.StatusCode != http.StatusOK || !strings.Contains(shown.Text, "Your profile is saved") ||
			!strings.Contains(shown.Text, `href="/account/profile" aria-current="page"`) {
			t.Fatalf("save: %s\n%s", shown.Status, shown.Text)
		}
		for _, want := range []string{`value="de-CH"`, `value="ali"`, "Gasse 1\nHaus 2</textarea>"} {
			if !strings.Contains(shown.Text, want) {
				t.Errorf("the page shows no %s", want)
			}
		}
		after := h.Userinfo(t, access).JSON
		for name, want := range map[string]any{
			"name": `Älice "Ex" <Ample>`, "given_name": "Älice", "middle_name": "B.", "family_name": "Ample", "nickname": "ali",
			"gender":    "female",
			"birthdate": "0000-02-29", "profile": "https://example.com/alice?a=1&b=2", "picture": "http://localhost:1/alice.png",
			"website": "https://älice.example/",
			"locale":  "de-CH", "zoneinfo": "Europe/Zurich", "preferred_username": harness.Username,
			"address": map[string]any{
				"street_address": "Gasse 1\nHaus 2", "formatted": "Gasse 1\n8000 Zürich", "postal_code": "8000",
				"locality": "Zürich", "region": "ZH", "country": "Schweiz",
			},
		} {
			if !reflect.DeepEqual(after[name], want) {
				t.Errorf("%s is %v, not %v", name, after[name], want)
			}
		}
		if was, is := before["updated_at"].(float64), after["updated_at"].(float64); is <= was {
			t.Errorf("updated_at went from %v to %v", was, is)
		}

		// The audit trail holds what changed, and nothing where nothing did.
		b.Post(t, "/account/profile", told)
		b.Post(t, "/account/profile", url.Values{"locality": {"Bern"}, "nickname": {""}})
		entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{UserID: h.User.ID, Entity: "profile", Limit: 10})
		if err != nil || len(entries) != 2 {
			t.Fatalf("%d lines in the audit trail, %v", len(entries), err)
		}
		var was, is map[string]any
		if err := json.Unmarshal(entries[0].OldValues, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(entries[0].NewValues, &is); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(was, map[string]any{"locality": "Zürich", "nickname": "ali"}) ||
			!reflect.DeepEqual(is, map[string]any{"locality": "Bern", "nickname": ""}) ||
			entries[0].Actor != h.User.Actor() || entries[0].SessionID == "" {
			t.Errorf("the audit trail says %v -> %v by %s in session %q", was, is, entries[0].Actor, entries[0].SessionID)
		}

		// An address that is taken back is no claim.
		empty := url.Values{}
		for name := range told {
			empty.Set(name, "")
		}
		b.Post(t, "/account/profile", empty)
		bare := h.Userinfo(t, access).JSON
		delete(bare, "updated_at")
		if want := map[string]any{
			"sub": h.User.ID.String(), "preferred_username": harness.Username,
		}; !reflect.DeepEqual(bare, want) {
			t.Errorf("of an empty profile apps are told %v", bare)
		}
	})
}

func TestProfileFieldsAreRefused(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		long := strings.Repeat("é", 501)
		for field, values := range map[string][]string{
			"name":           {long, "a\nb", "a\x01b"},
			"given_name":     {long},
			"middle_name":    {long},
			"family_name":    {long},
			"nickname":       {long},
			"gender":         {long},
			"birthdate":      {"yesterday", "0000", "90", "1990-13-01", "1990-02-30", "31.12.1990", "1990-12", "9999", "2999-01-01", "0000-02-30", "١٩٩٠"},
			"profile":        {"example.com", "ftp://example.com/", "javascript:alert(1)", "https://", "https:///x", "https://:80", "https://a b/", "//example.com", "https://user:secret@example.com/", "https://example.com/" + strings.Repeat("a", 2000)},
			"picture":        {"data:image/png;base64,AAAA"},
			"website":        {"mailto:alice@example.com"},
			"locale":         {"klingon-and-more", "x", "de--CH", "und", "de-CH-" + strings.Repeat("1996-", 20)},
			"zoneinfo":       {"Local", "Europe/Nowhere", "../etc/passwd", "Europe", "/etc/localtime"},
			"street_address": {long},
			"formatted":      {long},
			"postal_code":    {long, "1\n2"},
			"locality":       {long},
			"region":         {long},
			"country":        {long},
		} {
			for _, value := range values {
				form := url.Values{"nickname": {"ali"}} // good, and not kept either
				form.Set(field, value)
				shown := b.Post(t, "/account/profile", form)
				if shown.StatusCode != http.StatusUnprocessableEntity || strings.Count(shown.Text, `class="fault"`) != 1 ||
					!strings.Contains(shown.Text, `id="`+field+`-failure"`) {
					t.Errorf("%s %.40q: %s", field, value, shown.Status)
				}
			}
		}
		// Several at once, each at its field, with what was typed.
		shown := b.Post(t, "/account/profile", url.Values{"website": {"nowhere <b>"}, "birthdate": {"soon"}})
		if strings.Count(shown.Text, `class="fault"`) != 2 || !strings.Contains(shown.Text, `value="nowhere &lt;b&gt;"`) ||
			strings.Count(shown.Text, "autofocus") != 1 {
			t.Errorf("two faults: %s\n%s", shown.Status, shown.Text)
		}
		for _, value := range []string{"\xff", "a\x00b"} { // no text at all
			if shown := b.Post(t, "/account/profile", url.Values{"name": {value}}); shown.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %s", value, shown.Status)
			}
		}
		if profile, err := h.Identity.Profiles().Of(t.Context(), h.User.ID); err != nil || profile.Name != "Alice Example" ||
			profile.Nickname != "" {
			t.Errorf("after all that: %+v, %v", profile, err)
		}
		if entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{Entity: "profile", Limit: 1}); err != nil ||
			len(entries) > 0 {
			t.Errorf("the audit trail tells of %v, %v", entries, err)
		}
		// Whoever is signed out changes nothing.
		if shown := h.NewBrowser(t).Post(
			t, "/account/profile", url.Values{"name": {"Mallory"}},
		); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Errorf("signed out: %s", shown.Status)
		}
		if err := h.Identity.Profiles().Update(t.Context(), h.User.ID, profile.Profile{Name: "\xff"}); err == nil {
			t.Error("what is no text is kept")
		}
	})
}
