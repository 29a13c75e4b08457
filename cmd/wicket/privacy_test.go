package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPersonTakesTheirDataAlongAndIsErased(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *openHouse) {
		client, b := h.client(t, nil), h.browser(t)
		b.code(t, client, nil)
		file := b.post(t, "/account/download", url.Values{})
		if file.StatusCode != http.StatusOK || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("download: %s %v", file.Status, file.Header)
		}
		var kept struct {
			Account struct{ Username string }
			Profile struct{ Name string }
			Emails  []struct{ Address string }
			Apps    []struct {
				ClientID string `json:"client_id"`
			}
			Sessions   []any
			Attempts   []any `json:"login_attempts"`
			AuditTrail []any `json:"audit_trail"`
		}
		if err := json.Unmarshal([]byte(file.body), &kept); err != nil {
			t.Fatal(err)
		}
		if kept.Account.Username != testUsername || kept.Profile.Name != "Alice Example" || kept.Emails[0].Address != testEmail || kept.Apps[0].ClientID != client.ID ||
			len(kept.Sessions) != 1 || len(kept.Attempts) != 1 || len(kept.AuditTrail) < 3 {
			t.Errorf("the file holds %+v", kept)
		}
		if user, err := h.Identity.Users().ByID(t.Context(), h.user.ID); err != nil || strings.Contains(file.body, user.PasswordHash) {
			t.Errorf("the password hash is in the file (%v)", err)
		}
		if shown := b.post(t, "/account/erase", url.Values{}); !strings.Contains(shown.body, `id="erase"`) {
			t.Errorf("erased without being sure: %s", shown.Status)
		}
		if shown := b.post(t, "/account/erase", url.Values{"sure": {"yes"}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("erase: %s", shown.Status)
		}
		h.mail(t, "Your account will be deleted")
		if shown := b.get(t, "/account"); !strings.Contains(shown.body, `id="sign-in"`) {
			t.Error("still signed in")
		}
		b.signIn(t, page{})
		if user, err := h.Identity.Users().ByID(t.Context(), h.user.ID); err != nil || user.EraseAt != nil {
			t.Errorf("signing in did not undo it: %v, %v", user.EraseAt, err)
		}
		stranger := h.browser(t).post(t, "/account/download", url.Values{})
		if strings.Contains(stranger.body, testEmail) {
			t.Error("a stranger downloads her data")
		}
	})
}
