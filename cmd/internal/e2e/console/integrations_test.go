package console

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// withWebhooks runs a test against servers that tell webhooks on this machine of events.
func withWebhooks(t *testing.T, test func(t *testing.T, h *harness.Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.AllowPrivate = true })
		h.TellEvents(t)
		test(t, h)
	})
}

const ops = "/console/integrations/webhooks/ops"

// eventually waits until a page says something, and returns it.
func eventually(t *testing.T, b *harness.Browser, path, want string) (shown harness.Page) {
	t.Helper()
	storagetest.Eventually(t, time.Minute, path+" says "+want, func() bool {
		shown = b.Get(t, path)
		return strings.Contains(html.UnescapeString(shown.Text), want)
	})
	return shown
}

// A webhook is made, tried, switched off and on, and sent again what it was told, without a command.
func TestWebhooksInTheConsole(t *testing.T) {
	t.Parallel()
	withWebhooks(t, func(t *testing.T, h *harness.Server) {
		owner, auditor := administrator(t, h, administrators.Owner), administrator(t, h, administrators.Auditor)
		strengthen(t, h)
		receiver := harness.NewWebhookReceiver(t)
		const key = "key=hidden" // of its URL
		wanted := url.Values{
			"webhook": {"ops"}, "url": {receiver.URL}, "which": {"some"}, "noun": {"group"}, "others": {" session.ended \r\n"},
		}
		if shown := owner.Post(t, "/console/integrations/create", url.Values{
			"webhook": {"ops"}, "url": {receiver.URL}, "which": {"some"},
		}); shown.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(shown.Text, "at least one type") ||
			!strings.Contains(shown.Text, key) {
			t.Errorf("without a type: %s\n%s", shown.Status, shown.Text)
		}
		made := owner.Post(t, "/console/integrations/create", wanted)
		secret := shownSecret.FindStringSubmatch(made.Text)
		if secret == nil || !strings.HasPrefix(secret[1], "whsec_") {
			t.Fatalf("made: %s\n%s", made.Status, made.Text)
		}
		receiver.Know(html.UnescapeString(secret[1]))
		shown := owner.Post(t, "/console/integrations/create", wanted)
		if shown.StatusCode != http.StatusUnprocessableEntity ||
			strings.Contains(shown.Text, "whsec_") {
			t.Errorf("made again: %s", shown.Status)
		}

		// Who may change it sees all of its URL, and nobody else does.
		shown = owner.Get(t, ops)
		if !strings.Contains(shown.Text, key) || !strings.Contains(shown.Text, "Nothing was sent yet") ||
			strings.Contains(shown.Text, "whsec_") {
			t.Errorf("to the owner: %s\n%s", shown.Status, shown.Text)
		}
		for _, path := range []string{ops, "/console/integrations"} {
			seen := auditor.Get(t, path)
			if seen.StatusCode != http.StatusOK || strings.Contains(seen.Text, key) ||
				strings.Contains(seen.Text, `method="post"`) ||
				!strings.Contains(seen.Text, "localhost:") || !strings.Contains(seen.Text, "group.*, session.ended") {
				t.Errorf("%s to an auditor: %s\n%s", path, seen.Status, seen.Text)
			}
		}

		if shown := owner.Post(t, ops+"/test", nil); shown.Path() != ops || !strings.Contains(shown.Text, "on its way") {
			t.Errorf("tested: %s at %s", shown.Status, shown.Path())
		}
		receiver.Wait("webhook.tested")
		shown = eventually(t, owner, ops, `name="delivery"`)
		delivery := url.Values{"delivery": {hidden(t, shown, "delivery")}}
		if shown := owner.Post(t, ops+"/resend", delivery); !strings.Contains(shown.Text, "on its way again") {
			t.Errorf("sent again: %s\n%s", shown.Status, shown.Text)
		}
		storagetest.Eventually(t, time.Minute, "the same event comes again", func() bool { return len(receiver.Told()) == 2 })
		if told := receiver.Told(); told[0].ID != told[1].ID {
			t.Errorf("the event %s came again as %s", told[0].ID, told[1].ID)
		}
		eventually(t, owner, ops+"?state=delivered", "webhook.tested")
		if shown := owner.Get(t, ops+"?state=failed"); strings.Contains(shown.Text, "webhook.tested") {
			t.Error("what was delivered is shown as given up")
		}
		switchedOff(t, h, owner, receiver, delivery)
	})
}

// switchedOff is the rest of the life of a webhook.
func switchedOff(
	t *testing.T, h *harness.Server, owner *harness.Browser, receiver *harness.WebhookReceiver, delivery url.Values,
) {
	t.Helper()
	_, err := h.Webhooks.Put(t.Context(), manage.Operator("test"), "other", webhooks.WebhookSettings{
		URL: receiver.URL, Types: []string{"session.strengthened"},
	}, "", true) // events are kept while a webhook is on
	if err != nil {
		t.Fatal(err)
	}
	stale := hidden(t, owner.Get(t, ops), "seen")
	if shown := owner.Post(t, ops+"/disable", nil); !strings.Contains(shown.Text, `>Off</span>`) {
		t.Errorf("switched off: %s\n%s", shown.Status, shown.Text)
	}
	if shown := owner.Post(t, ops+"/resend", delivery); shown.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(shown.Text, "Switch it on first") {
		t.Errorf("sent again while it is off: %s", shown.Status)
	}
	missed, err := h.Identity.Groups().Create(t.Context(), "missed", "Missed")
	if err != nil {
		t.Fatal(err)
	}
	changed := url.Values{"seen": {stale}, "url": {receiver.URL}, "which": {"all"}, "description": {"To operations"}}
	if shown := owner.Post(t, ops+"/save", changed); shown.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(shown.Text, "changed by somebody else") {
		t.Errorf("changed as it was before: %s\n%s", shown.Status, shown.Text)
	}
	changed.Set("seen", hidden(t, owner.Get(t, ops), "seen"))
	if shown := owner.Post(t, ops+"/save", changed); !strings.Contains(shown.Text, "Saved") ||
		!strings.Contains(shown.Text, "To operations") || !strings.Contains(shown.Text, `>Off</span>`) {
		t.Errorf("changed: %s\n%s", shown.Status, shown.Text)
	}
	if shown := owner.Post(t, ops+"/enable", nil); !strings.Contains(shown.Text, `>On</span>`) {
		t.Errorf("switched on: %s\n%s", shown.Status, shown.Text)
	}
	again := owner.Post(t, ops+"/resend-since", url.Values{"since": {"day"}})
	if !strings.Contains(again.Text, "on their way again") {
		t.Errorf("all again: %s\n%s", again.Status, again.Text)
	}
	storagetest.Eventually(t, time.Minute, "what it has missed comes", func() bool {
		return slices.ContainsFunc(receiver.Told(), func(told harness.Told) bool {
			return told.Data.ID == missed.ID.String()
		})
	})
	receiver.Know()
	if shown := owner.Post(t, ops+"/rotate", nil); shownSecret.FindStringSubmatch(shown.Text) == nil {
		t.Errorf("another secret: %s\n%s", shown.Status, shown.Text)
	}
	kept := owner.Post(t, ops+"/delete", url.Values{"typed": {"oops"}})
	if kept.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("deleted by another name: %s", kept.Status)
	}
	if shown := owner.Post(t, ops+"/delete", url.Values{"typed": {"ops"}}); !strings.Contains(shown.Text, "was deleted") {
		t.Errorf("deleted: %s\n%s", shown.Status, shown.Text)
	}
	if shown := owner.Get(t, ops); shown.StatusCode != http.StatusNotFound {
		t.Errorf("after that: %s", shown.Status)
	}
}

// addLogoutDeliveries adds some that were given up, each a minute older than the one before.
func addLogoutDeliveries(t *testing.T, h *harness.Server, userID uuid.UUID, count int) (ids []string) {
	t.Helper()
	deliveries := make([]logout.Delivery, count)
	for i := range deliveries {
		at := h.Clock.Now().Add(-time.Duration(i) * time.Minute)
		deliveries[i] = logout.Delivery{
			ID: storage.NewID(), SessionID: uuid.New(), UserID: userID, ClientID: furnishedApp, Subject: "bob",
			URI: "https://wiki.example/backchannel-logout", ByOperator: true, Alg: "ES256", State: logout.DeliveryFailed,
			Attempts: 11, LastError: fmt.Sprintf("the app answered %d", 500+i), CreatedAt: at, NextAt: at,
		}
		ids = append(ids, deliveries[i].ID.String())
	}
	err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&deliveries).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// Apps that could not be told of a logout are told again, by who may change them.
func TestLogoutDeliveriesInTheConsole(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		manager, auditor := administrator(t, h, administrators.AppManager), administrator(t, h, administrators.Auditor)
		ids := addLogoutDeliveries(t, h, h.User.ID, 60)
		const page = "/console/integrations/logouts"
		first := manager.Get(t, page)
		if !strings.Contains(first.Text, "the app answered 500") || !strings.Contains(first.Text, "the app answered 549") ||
			strings.Contains(first.Text, "the app answered 550") || !strings.Contains(first.Text, ">"+harness.Username+"</a>") {
			t.Errorf("first: %s\n%s", first.Status, first.Text)
		}
		next := first.Attributes(`a class="button quiet small`, "href")
		if len(next) != 1 {
			t.Fatalf("the list goes on at %v", next)
		}
		if rest := manager.Get(t, next[0]); !strings.Contains(rest.Text, "the app answered 550") ||
			!strings.Contains(rest.Text, "the app answered 559") || strings.Contains(rest.Text, "the app answered 549") {
			t.Errorf("the rest: %s\n%s", rest.Status, rest.Text)
		}
		if seen := auditor.Get(t, page); strings.Contains(seen.Text, `method="post"`) ||
			!strings.Contains(seen.Text, "answered 500") {
			t.Errorf("to an auditor: %s\n%s", seen.Status, seen.Text)
		}
		for query, want := range map[string]bool{
			"client=other": false, "client=" + furnishedApp: true, "state=delivered": false,
		} {
			if seen := manager.Get(t, page+"?"+query); strings.Contains(seen.Text, "answered 500") != want {
				t.Errorf("%s: %s", query, seen.Text)
			}
		}
		again := url.Values{"delivery": {ids[0]}, "client": {furnishedApp}}
		if shown := manager.Post(t, page+"/resend", again); !strings.Contains(shown.Text, "on its way again") ||
			shown.Request.URL.Query().Get("client") != furnishedApp {
			t.Errorf("again: %s at %s", shown.Status, shown.Request.URL)
		}
		recorded, err := h.Database.Reader().NewSelect().Table("audit_trail").
			Where("action = 'resent' AND entity_id = ? AND via = ?", ids[0], audit.ViaConsole).Count(t.Context())
		if err != nil || recorded != 1 {
			t.Errorf("the audit trail has %d lines of it: %v", recorded, err)
		}
		if shown := manager.Post(t, page+"/resend", again); shown.StatusCode != http.StatusUnprocessableEntity ||
			!strings.Contains(shown.Text, "not given up") {
			t.Errorf("once more: %s\n%s", shown.Status, shown.Text)
		}
	})
}

// The pages that look at something, as people see them; a webhook is made by the keyboard alone.
func TestInspectionInABrowser(t *testing.T) {
	t.Parallel()
	w := harness.OpenWindow(t)
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	makeAdministrator(t, h, h.User, administrators.Owner)
	bob := furnish(t, h)
	w.Open(h.Issuer + "/console/integrations")
	w.SignIn(harness.Username, harness.Password)
	w.Reads("main", "ops", "hooks.example.com")
	w.Look("console-webhooks")
	strengthen(t, h)
	w.Open(h.Issuer + "/console/integrations/new")
	w.Look("console-webhook-new")
	press := func(keys string) {
		t.Helper()
		w.Do(chromedp.KeyEvent(keys))
	}
	press("\t")
	w.WaitFor("document.activeElement.matches('.skip')")
	press("\r")
	press("\t")
	press("\t") // past the way back
	w.WaitFor("document.activeElement.id === 'webhook'")
	press("monitor")
	press("\t")
	press("https://monitor.example.com/hook")
	press("\r")
	w.Reads("main", "The webhook is made", "shown this once")
	w.Look("console-webhook-made")
	for path, name := range map[string]string{
		"/console/integrations/webhooks/ops": "webhook", "/console/integrations/logouts": "logouts",
		"/console/apps/app/preview?who=bob&id=" + furnishedApp: "preview", "/console/apps/app/test?id=" + furnishedApp: "trial",
		"/console/people/" + bob.ID.String() + "/view": "view", "/console/people": "people-groups",
		"/console/apps/app?id=" + furnishedApp: "app-furnished",
	} {
		w.Open(h.Issuer + path)
		w.Reads("main", "")
		w.Look("console-" + name)
	}
}
