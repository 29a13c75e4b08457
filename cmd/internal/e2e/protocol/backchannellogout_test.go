package protocol

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// patience is how long a job may take to come to its turn on a busy machine.
const patience = time.Minute

// addReceiver registers an app that wants to be told of logouts.
func addReceiver(t *testing.T, h *harness.Server) (harness.Client, *harness.LogoutReceiver) {
	t.Helper()
	receiver := harness.NewLogoutReceiver(t)
	client := h.AddClient(t, func(c *clients.Client) { c.BackchannelLogoutURI = receiver.URI })
	receiver.Expect(h.Issuer, client.ID)
	return client, receiver
}

// Who signs out at one app is signed out at the others by the time the browser is back, with the sid and sub of the ID
// token; whatever else ends the session reaches them too.
func TestAppsAreToldOfALogout(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		first, firstHears := addReceiver(t, h)
		second, secondHears := addReceiver(t, h)
		deaf := h.AddClient(t, nil)
		told := func(before int) bool { return len(firstHears.Heard()) > before && len(secondHears.Heard()) > before }

		b := h.NewBrowser(t)
		hint := h.Redeem(t, first, b.Code(t, first, nil)).Text("id_token")
		b.Code(t, second, nil)
		b.Code(t, deaf, nil)
		back := "&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI)
		if shown := b.Get(t, oidc.PathLogout+"?id_token_hint="+hint+back); shown.Header.Get("Location") != harness.LogoutURI {
			t.Fatalf("%s to %q", shown.Status, shown.Header.Get("Location"))
		}
		claims := harness.TokenClaims(t, hint)
		for name, heard := range map[string]*harness.LogoutReceiver{"first": firstHears, "second": secondHears} {
			tokens := heard.Heard()
			if len(tokens) != 1 || tokens[0].SessionID != claims["sid"] || tokens[0].Subject != claims["sub"] {
				t.Errorf("the %s app has heard %+v by the time the browser is back", name, tokens)
			}
		}

		b.Code(t, first, nil)
		b.Code(t, second, nil)
		b.Post(t, "/account/sign-out-everywhere", url.Values{})
		storagetest.Eventually(t, patience, "the apps are told of a global logout", func() bool { return told(1) })

		b.Code(t, first, nil)
		b.Code(t, second, nil)
		if err := h.Identity.Users().SetActive(t.Context(), h.User.ID, false); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, patience, "the apps are told that the account is disabled", func() bool { return told(2) })
		if first, second := firstHears.Heard(), secondHears.Heard(); len(first) != 3 || len(second) != 3 {
			t.Errorf("told %d and %d times of three logouts", len(first), len(second))
		}
	})
}

// An app that has a bad moment is told again, by a job.
func TestAnAppThatFailsIsToldAgain(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client, receiver := addReceiver(t, h)
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, nth int) {
			if nth == 1 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		b := h.NewBrowser(t)
		b.Code(t, client, nil)
		b.Post(t, "/account/sign-out", url.Values{})
		storagetest.Eventually(t, patience, "the app is told again", func() bool { return len(receiver.Heard()) == 2 })
		storagetest.Eventually(t, patience, "the delivery is done", func() bool {
			list, err := h.Logout.Deliveries(t.Context(), client.ID, false, 10)
			return err == nil && len(list) == 1 && list[0].Attempts == 2 && list[0].DeliveredAt != nil
		})
	})
}

// One app that is slow holds few of the workers, whatever is to be told to it.
func TestASlowAppDelaysNoOther(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		slow, slowHears := addReceiver(t, h)
		quick, quickHears := addReceiver(t, h)
		var busy, most atomic.Int64
		release := make(chan struct{})
		slowHears.Answer = func(_ http.ResponseWriter, r *http.Request, _ int) {
			now := busy.Add(1)
			defer busy.Add(-1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		const devices = 40
		var took []*clients.Participation
		for range devices {
			session := identitytest.NewSession(t, h.Identity, h.User)
			for _, id := range []string{slow.ID, quick.ID} {
				took = append(took, &clients.Participation{SessionID: session.ID, ClientID: id, CreatedAt: session.CreatedAt})
			}
		}
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(&took).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.Sessions().SignOutEverywhere(t.Context(), h.User.ID, identity.EndedByGlobal); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, patience, "the quick app has heard all", func() bool {
			return len(quickHears.Heard()) == devices
		})
		if most.Load() > 8 {
			t.Errorf("%d attempts at once at the slow one", most.Load())
		}
		close(release)
		storagetest.Eventually(t, 2*patience, "the slow app has heard all", func() bool {
			sessions := map[string]bool{}
			for _, token := range slowHears.Heard() {
				sessions[token.SessionID] = true
			}
			return len(sessions) == devices
		})
	})
}

// Apps are told in frames only where the operator wants it; then the page holds them and nothing else, and goes on by
// itself.
func TestAppsAreToldInFrames(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		h := harness.Start(t, databaseURL, func(c *harness.Config) { c.FrontchannelLogout = true })
		plain := h.AddClient(t, func(c *clients.Client) { c.FrontchannelLogoutURI = "http://localhost:9999/front" })
		query := h.AddClient(t, func(c *clients.Client) {
			c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/")
			c.FrontchannelLogoutURI = "https://app.example.com/front?tenant=1"
		})
		without := h.AddClient(t, nil)
		b := h.NewBrowser(t)
		b.Code(t, plain, nil)
		b.Code(t, query, nil)
		hint := h.Redeem(t, without, b.Code(t, without, nil)).Text("id_token")
		sid, _ := harness.TokenClaims(t, hint)["sid"].(string)
		named := "iss=" + url.QueryEscape(h.Issuer) + "&sid=" + sid
		back := "&state=s&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI)
		shown := b.Get(t, oidc.PathLogout+"?id_token_hint="+hint+back)
		if shown.StatusCode != http.StatusOK || shown.Header.Get("Location") != "" {
			t.Fatalf("%s to %q", shown.Status, shown.Header.Get("Location"))
		}
		want := []string{"http://localhost:9999/front?" + named, "https://app.example.com/front?tenant=1&" + named}
		if got := shown.Attributes("iframe", "src"); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("frames %q, want %q", got, want)
		}
		if got := shown.Attributes(`meta`, "content"); !slices.Contains(got, "2; url="+harness.LogoutURI+"?state=s") {
			t.Errorf("it does not go on by itself: %q", got)
		}
		sources := policy(shown.Header.Get("Content-Security-Policy"))["frame-src"]
		if slices.Sort(sources); !slices.Equal(sources, []string{"http://localhost:9999", "https://app.example.com"}) {
			t.Errorf("frame-src %q", sources)
		}
		// Without an app that wants it nothing is in between, and no other page has frames.
		b.Code(t, without, nil)
		shown = b.Post(t, "/account/sign-out", url.Values{})
		sources = policy(shown.Header.Get("Content-Security-Policy"))["frame-src"]
		if got := shown.Attributes("iframe", "src"); len(got) > 0 || sources != nil {
			t.Errorf("without an app: %q, %q", got, sources)
		}
		b.Code(t, plain, nil)
		if got := b.Post(t, "/account/sign-out", url.Values{}).Attributes("iframe", "src"); len(got) != 1 {
			t.Errorf("signed out at Wicket itself: frames %q", got)
		}
	})
}

func TestNoFramesUnlessTheOperatorWantsThem(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		client := h.AddClient(t, func(c *clients.Client) { c.FrontchannelLogoutURI = "http://localhost:9999/front" })
		b := h.NewBrowser(t)
		answer := h.Redeem(t, client, b.Code(t, client, nil))
		if _, told := answer.JSON["session_state"]; told {
			t.Error("there is a session_state")
		}
		back := "&post_logout_redirect_uri=" + url.QueryEscape(harness.LogoutURI)
		shown := b.Get(t, oidc.PathLogout+"?id_token_hint="+answer.Text("id_token")+back)
		if shown.Header.Get("Location") != harness.LogoutURI {
			t.Errorf("%s to %q", shown.Status, shown.Header.Get("Location"))
		}
		if shown := b.Get(t, oidc.PathCheckSession); shown.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", oidc.PathCheckSession, shown.Status)
		}
	})
}
