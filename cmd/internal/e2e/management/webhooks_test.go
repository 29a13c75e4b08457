package management

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// withWebhooks runs a test against servers that tell webhooks on this machine of events.
func withWebhooks(t *testing.T, test func(t *testing.T, h *harness.Server), change ...func(*harness.Config)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, append(change, func(c *harness.Config) { c.AllowPrivate = true })...)
		h.TellEvents(t)
		test(t, h)
	})
}

// register registers somebody.
func register(t *testing.T, h *harness.Server, username string) *identity.User {
	t.Helper()
	return h.Register(t, identity.NewUser{Username: username, Password: harness.Password})
}

const hook = "/api/v1/webhooks/ops"

// makeWebhook makes the webhook ops to a receiver, which then knows its secret.
func makeWebhook(t *testing.T, c caller, to *harness.WebhookReceiver, types ...string) answer {
	t.Helper()
	made := c.must(t, http.StatusCreated, http.MethodPut, hook, map[string]any{"url": to.URL, "types": types},
		"If-None-Match", "*")
	to.Know(made.JSON["secret"].(string))
	return made
}

// deliveries waits until a webhook has so many deliveries in a state, and returns them.
func deliveries(t *testing.T, c caller, state string, count int) (items []map[string]any) {
	t.Helper()
	storagetest.Eventually(t, time.Minute, fmt.Sprintf("%d deliveries are %s", count, state), func() bool {
		got := c.must(t, http.StatusOK, http.MethodGet, hook+"/deliveries?state="+state, nil)
		items = nil
		for _, item := range got.JSON["items"].([]any) {
			items = append(items, item.(map[string]any))
		}
		return len(items) == count
	})
	return items
}

func TestWebhookIsToldWhatItListensTo(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Administrator), harness.NewWebhookReceiver(t)
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
			_, _ = fmt.Fprint(w, "taken\x00 ", strings.Repeat("a", 2000))
		}
		register(t, h, "before") // nobody listens yet
		makeWebhook(t, c, receiver, "user.*")
		bob := register(t, h, "bob")
		if _, err := h.Identity.Groups().Create(t.Context(), "staff", "Staff"); err != nil { // it does not listen to that
			t.Fatal(err)
		}
		made := receiver.Wait("user.created")
		if made.Data.ID != bob.ID.String() || made.Data.UserID == nil || *made.Data.UserID != bob.ID ||
			made.Data.Entity != "user" || made.Version != 1 || made.Sequence == 0 || made.Timestamp.IsZero() ||
			!slices.Contains(made.Data.Changed, "username") {
			t.Errorf("told %s", made.Body)
		}
		if strings.Contains(made.Body, "bob") || made.Data.New != nil {
			t.Errorf("what is told names a person: %s", made.Body)
		}
		if got := made.Header.Get("webhook-id"); got != made.ID.String() {
			t.Errorf("webhook-id %s of event %s", got, made.ID)
		}
		done := deliveries(t, c, "delivered", 1)[0]
		if done["type"] != "user.created" || done["status"] != 200.0 || done["attempts"] != 1.0 || done["error"] != "" ||
			done["event_id"] != made.ID.String() || done["finished_at"] == nil {
			t.Errorf("noted as %v", done)
		}
		if said := done["answer"].(string); !strings.HasPrefix(said, "taken a") || len(said) > 1024+len("…") {
			t.Errorf("the answer is kept as %q", said)
		}
		// With the values.
		shown := c.must(t, http.StatusOK, http.MethodGet, hook, nil)
		all := map[string]any{"url": receiver.URL, "types": []string{"*"}, "values": true}
		c.must(t, http.StatusOK, http.MethodPut, hook, all, "If-Match", shown.Header.Get("ETag"))
		carol := register(t, h, "carol")
		storagetest.Eventually(t, time.Minute, "the values are told", func() bool {
			return slices.ContainsFunc(receiver.Told(), func(told harness.Told) bool {
				return told.Data.ID == carol.ID.String() && strings.Contains(string(told.Data.New), "carol")
			})
		})
		if slices.ContainsFunc(receiver.Told(), func(told harness.Told) bool { return told.Type == "group.created" }) {
			t.Error("it was told of what it did not listen to")
		}
	})
}

func TestWebhooksOverTheAPI(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		wanted := map[string]any{"url": receiver.URL, "types": []string{"session.ended"}, "description": "To operations"}
		c.must(t, http.StatusPreconditionRequired, http.MethodPut, hook, wanted)
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, hook, wanted, "If-Match", "*")
		made := c.must(t, http.StatusCreated, http.MethodPut, hook, wanted, "If-None-Match", "*")
		secret := made.JSON["secret"].(string)
		if !strings.HasPrefix(secret, "whsec_") {
			t.Errorf("the secret is %q", secret)
		}
		again := c.must(t, http.StatusPreconditionFailed, http.MethodPut, hook, wanted, "If-None-Match", "*")
		if again.code() != "precondition.exists" {
			t.Error(again.Text)
		}
		shown := c.must(t, http.StatusOK, http.MethodGet, hook, nil)
		if strings.Contains(shown.Text, secret) || shown.Header.Get("ETag") != made.Header.Get("ETag") {
			t.Errorf("%s %s\n%s %s", made.Header.Get("ETag"), made.Text, shown.Header.Get("ETag"), shown.Text)
		}
		listed := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/webhooks", nil)
		if len(listed.JSON["items"].([]any)) != 1 || strings.Contains(listed.Text, secret) {
			t.Error(listed.Text)
		}
		wanted["description"], wanted["types"] = "", []string{"session.*", "user.created"}
		after := c.must(t, http.StatusOK, http.MethodPut, hook, wanted, "If-Match", shown.Header.Get("ETag"))
		c.must(t, http.StatusPreconditionFailed, http.MethodPut, hook, wanted, "If-Match", shown.Header.Get("ETag"))
		// An attempt that fails changes nothing that somebody has seen.
		h.SQL(t, "INSERT INTO webhook_failures (webhook_id, since) VALUES ('ops', ?)", time.Now())
		failing := c.must(t, http.StatusOK, http.MethodGet, hook, nil)
		if failing.JSON["failing_since"] == nil || failing.Header.Get("ETag") != after.Header.Get("ETag") {
			t.Errorf("%s\n%s", after.Text, failing.Text)
		}
		for code, wrong := range map[string]map[string]any{
			"webhook.url":     {"url": "https://user:pass@hook.example/", "types": []string{"*"}},
			"event.type":      {"url": "https://hook.example/", "types": []string{"user.created", "user.invented"}},
			"request.invalid": {"url": "https://hook.example/", "types": []string{}},
		} {
			got := c.must(t, http.StatusUnprocessableEntity, http.MethodPut, hook, wrong, "If-Match", "*")
			if got.code() != code || strings.Contains(got.Text, "pass@") {
				t.Errorf("%v: %s", wrong, got.Text)
			}
		}
		wanted["disabled"] = true
		c.must(t, http.StatusOK, http.MethodPut, hook, wanted, "If-Match", "*")
		for _, path := range []string{"/actions/test", "/actions/resend"} {
			var body any
			if path == "/actions/resend" {
				body = map[string]any{"since": time.Now()}
			}
			if got := c.must(t, http.StatusConflict, http.MethodPost, hook+path, body); got.code() != "webhook.disabled" {
				t.Errorf("%s: %s", path, got.Text)
			}
		}
		c.must(t, http.StatusNoContent, http.MethodDelete, hook, nil)
		c.must(t, http.StatusNotFound, http.MethodDelete, hook, nil)
		c.must(t, http.StatusNotFound, http.MethodGet, hook, nil)
		entries, err := audit.Entries(t.Context(), h.Database, audit.Filter{Entity: "webhook", Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, entry := range entries {
			actions = append(actions, entry.Action)
			if text := string(entry.OldValues) + string(entry.NewValues); strings.Contains(text, "hook?") ||
				strings.Contains(text, strings.TrimPrefix(secret, "whsec_")) || entry.Via != audit.ViaAPI {
				t.Errorf("in the audit trail: %s %s", entry.Via, text)
			}
		}
		slices.Reverse(actions)
		if !slices.Equal(actions, []string{"created", "changed", "changed", "deleted"}) {
			t.Errorf("the audit trail says %v", actions)
		}
	})
}

func TestWebhookIsTested(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		makeWebhook(t, c, receiver, "user.erased")
		c.must(t, http.StatusNoContent, http.MethodPost, hook+"/actions/test", nil)
		if told := receiver.Wait("webhook.tested"); told.Data.ID != "ops" || !strings.HasPrefix(told.Data.Actor, "api-key:") {
			t.Errorf("told %s", told.Body)
		}
		done := deliveries(t, c, "delivered", 1)[0]
		// The same again, and then everything since then, which is just that.
		again := hook + "/deliveries/" + done["id"].(string) + "/actions/resend"
		c.must(t, http.StatusNoContent, http.MethodPost, again, nil)
		storagetest.Eventually(t, time.Minute, "it is told again", func() bool { return len(receiver.Told()) == 2 })
		if told := receiver.Told(); told[0].ID != told[1].ID || told[0].Body != told[1].Body {
			t.Errorf("told\n%s\nand\n%s", told[0].Body, told[1].Body)
		}
		deliveries(t, c, "delivered", 1)
		unknown := strings.Replace(again, done["id"].(string), "0190163d-8694-739b-aea5-966c26f8ad91", 1)
		c.must(t, http.StatusNotFound, http.MethodPost, unknown, nil)
	})
}

// A webhook that was off, or is new, is told what it has missed.
func TestWebhookIsToldWhatItHasMissed(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		began := h.Manage.Now()
		storagetest.Eventually(t, time.Minute, "the feed is on", func() bool {
			return c.call(t, http.MethodGet, "/api/v1/events", nil).Status == http.StatusOK
		})
		var people []string
		for _, name := range []string{"bob", "carol", "dave"} {
			people = append(people, register(t, h, name).ID.String())
		}
		storagetest.Eventually(t, time.Minute, "the events are numbered", func() bool {
			got := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/events?type=user.created", nil)
			return len(got.JSON["items"].([]any)) == len(people)
		})
		makeWebhook(t, c, receiver, "user.created")
		resent := c.must(t, http.StatusOK, http.MethodPost, hook+"/actions/resend", map[string]any{"since": began})
		if resent.JSON["deliveries"] != 3.0 || resent.JSON["more"] != false {
			t.Error(resent.Text)
		}
		deliveries(t, c, "delivered", 3)
		var told []string
		for _, one := range receiver.Told() {
			told = append(told, one.Data.ID)
		}
		slices.Sort(told)
		slices.Sort(people)
		if !slices.Equal(told, people) {
			t.Errorf("told of %v, want %v", told, people)
		}
		later := map[string]any{"since": began, "after": resent.JSON["after"]}
		if none := c.must(t, http.StatusOK, http.MethodPost, hook+"/actions/resend", later); none.JSON["deliveries"] != 0.0 {
			t.Error(none.Text)
		}
	}, func(c *harness.Config) { c.EventFeed = true })
}

// For a day messages are signed with two secrets, so that a receiver may know either.
func TestWebhookSecretsAreRotated(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		first := makeWebhook(t, c, receiver, "user.created").JSON["secret"].(string)
		rotated := c.must(t, http.StatusCreated, http.MethodPost, hook+"/secrets", nil)
		second := rotated.JSON["secret"].(string)
		receiver.Know(first, second)
		register(t, h, "bob")
		if told := receiver.Wait("user.created"); strings.Count(told.Header.Get("webhook-signature"), "v1,") != 2 {
			t.Errorf("signed %q", told.Header.Get("webhook-signature"))
		}
		third := c.must(t, http.StatusCreated, http.MethodPost, hook+"/secrets", nil).JSON["secret"].(string)
		receiver.Know(second, third)
		register(t, h, "carol")
		storagetest.Eventually(t, time.Minute, "it is told again", func() bool { return len(receiver.Told()) == 2 })
		if err := verify(first, receiver.Told()[1]); err == nil {
			t.Error("the first of three secrets still signs")
		}
		h.SQL(t, "UPDATE webhooks SET old_secret_ends_at = ?", time.Now().Add(-time.Second))
		receiver.Know(third)
		register(t, h, "dave")
		storagetest.Eventually(t, time.Minute, "it is told a third time", func() bool { return len(receiver.Told()) == 3 })
		if err := verify(second, receiver.Told()[2]); err == nil {
			t.Error("after a day the old secret still signs")
		}
		if _, err := h.Webhooks.Expire(t.Context()); err != nil {
			t.Error(err)
		}
		if kept, err := h.Database.Reader().NewSelect().Table("webhooks").Where("sealed_old_secret IS NOT NULL").
			Count(t.Context()); err != nil || kept != 0 {
			t.Errorf("old secrets are kept: %d, %v", kept, err)
		}
		dump := harness.DumpAll(t, h.Database)
		for _, secret := range []string{first, second, third} {
			if strings.Contains(dump, strings.TrimPrefix(secret, "whsec_")) {
				t.Error("a secret is in the database in the clear")
			}
		}
	})
}

func verify(secret string, told harness.Told) error {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return verifier.Verify([]byte(told.Body), told.Header)
}

// What a webhook does not take is sent again, with the same id.
func TestWebhookIsToldAgainUntilItTakesIt(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		receiver.Answer = func(w http.ResponseWriter, r *http.Request, nth int) {
			if nth == 1 {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}
		}
		makeWebhook(t, c, receiver, "user.created")
		register(t, h, "bob")
		receiver.Wait("user.created")
		var pending map[string]any
		storagetest.Eventually(t, time.Minute, "the first attempt is noted", func() bool {
			pending = deliveries(t, c, "pending", 1)[0]
			return pending["attempts"] == 1.0
		})
		if pending["status"] != 307.0 || pending["next_at"] == nil ||
			!strings.Contains(pending["error"].(string), "redirects") {
			t.Errorf("noted as %v", pending)
		}
		if shown := c.must(t, http.StatusOK, http.MethodGet, hook, nil); shown.JSON["failing_since"] == nil {
			t.Errorf("shown as %s", shown.Text)
		}
		if got := c.must(
			t, http.StatusConflict, http.MethodPost, hook+"/deliveries/"+pending["id"].(string)+"/actions/resend", nil,
		); got.code() != "webhook.pending" {
			t.Error(got.Text)
		}
		done := deliveries(t, c, "delivered", 1)[0]
		told := receiver.Told()
		if done["attempts"] != 2.0 || len(told) != 2 || told[0].ID != told[1].ID || told[0].Body != told[1].Body ||
			told[0].Header.Get("webhook-timestamp") == told[1].Header.Get("webhook-timestamp") {
			t.Errorf("told %d times, noted as %v", len(told), done)
		}
		storagetest.Eventually(t, time.Minute, "it fails no more", func() bool {
			return c.must(t, http.StatusOK, http.MethodGet, hook, nil).JSON["failing_since"] == nil
		})
	})
}

// Who says that there is nobody any more, or takes nothing for days, is told nothing any more, and the owners get a
// mail.
func TestWebhookIsSwitchedOff(t *testing.T) {
	t.Parallel()
	for reason, status := range map[string]int{"gone": http.StatusGone, "failing": http.StatusInternalServerError} {
		t.Run(reason, func(t *testing.T) {
			withWebhooks(t, func(t *testing.T, h *harness.Server) {
				holder := administrators.Person(h.User.ID)
				if _, err := h.Manage.Administrators.Grant(t.Context(), holder, administrators.Owner, nil); err != nil {
					t.Fatal(err)
				}
				c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
				receiver.Answer = func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(status) }
				makeWebhook(t, c, receiver, "user.created")
				if reason == "failing" {
					h.SQL(t, "INSERT INTO webhook_failures (webhook_id, since) VALUES ('ops', ?)", time.Now().Add(-121*time.Hour))
				}
				register(t, h, "bob")
				_, mail := h.Mail(t, "A webhook was switched off")
				if mail.To != harness.Email || !strings.Contains(mail.Text, "the webhook ops") ||
					strings.Contains(mail.Text, "hidden") || strings.Contains(mail.Text, reason+".") {
					t.Errorf("the mail says %s", mail.Text)
				}
				shown := c.must(t, http.StatusOK, http.MethodGet, hook, nil)
				if shown.JSON["disabled"] != true || shown.JSON["disabled_reason"] != reason {
					t.Errorf("shown as %s", shown.Text)
				}
				disabled := audit.Filter{Entity: "webhook", Action: "disabled", Limit: 9}
				entries, err := audit.Entries(t.Context(), h.Database, disabled)
				if err != nil || len(entries) != 1 || !strings.Contains(string(entries[0].NewValues), reason) {
					t.Errorf("in the audit trail: %v, %v", entries, err)
				}
				// Somebody switches it on: it begins anew.
				c.must(t, http.StatusOK, http.MethodPut, hook,
					map[string]any{"url": receiver.URL, "types": []string{"user.created"}}, "If-Match", shown.Header.Get("ETag"))
				on := c.must(t, http.StatusOK, http.MethodGet, hook, nil)
				if on.JSON["disabled"] != false || on.JSON["disabled_reason"] != "" || on.JSON["failing_since"] != nil {
					t.Errorf("switched on: %s", on.Text)
				}
			})
		})
	}
}

// Of a person who is erased the events say nothing any more, but that there was one.
func TestEventsForgetWhoIsErased(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		bob := register(t, h, "bob")
		storagetest.Eventually(t, time.Minute, "the feed is on", func() bool {
			return c.call(t, http.MethodGet, "/api/v1/events", nil).Status == http.StatusOK
		})
		makeWebhook(t, c, receiver, "user.erased")
		c.must(t, http.StatusNoContent, http.MethodDelete, "/api/v1/users/"+bob.ID.String(), nil)
		told := receiver.Wait("user.erased")
		if told.Data.ID != bob.ID.String() || told.Data.UserID != nil {
			t.Errorf("told %s", told.Body)
		}
		read := c.must(t, http.StatusOK, http.MethodGet, "/api/v1/events?type=user.disabled&values=true", nil)
		var page struct {
			Items []struct {
				Data struct {
					UserID *string `json:"user_id"`
				}
			}
		}
		if err := json.Unmarshal([]byte(read.Text), &page); err != nil || len(page.Items) != 1 || // erasing begins so
			page.Items[0].Data.UserID != nil {
			t.Errorf("%v: %s", err, read.Text)
		}
	}, func(c *harness.Config) { c.EventFeed = true })
}

// What a server was sending when it was killed is sent again, when it counts as lost.
func TestLostAttemptIsMadeAgain(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		c, receiver := keyFor(t, h, administrators.Owner), harness.NewWebhookReceiver(t)
		makeWebhook(t, c, receiver, "user.created")
		register(t, h, "bob")
		deliveries(t, c, "delivered", 1)
		h.SQL(t, "UPDATE webhook_deliveries SET state = 'sending', next_at = ?", time.Now().Add(-time.Second))
		storagetest.Eventually(t, time.Minute, "it is told again", func() bool { return len(receiver.Told()) == 2 })
		deliveries(t, c, "delivered", 1)
	})
}
