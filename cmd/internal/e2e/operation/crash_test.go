package operation

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Kill -9 under load, start again: what was answered with success holds, and nothing is half-written.
func TestKilledUnderLoad(t *testing.T) {
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, issuer := harness.NewCommandLine(t, databaseURL)
		line.JSON(
			t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username, "--email",
			harness.Email, "--email-verified", "--password-stdin",
		)
		var app struct {
			ID     string `json:"client_id"`
			Secret string `json:"client_secret"`
		}
		line.JSON(
			t, &app, "", "client", "create", "--name", "Test app", "--redirect-uri", harness.RedirectURI, "--auth-method",
			clients.AuthPost,
		)
		h := &harness.Server{Issuer: issuer}
		client := harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret}

		server := line.Serve(t, issuer)
		var browsers [8]*harness.Browser
		for i := range browsers {
			browsers[i] = h.NewBrowser(t)
			browsers[i].Code(t, client, nil) // signed in, and consent is remembered
		}
		for range 3 {
			var families [len(browsers)][]*family
			var load sync.WaitGroup
			var killed atomic.Bool
			var settled atomic.Int32
			for i, b := range browsers {
				load.Go(func() { families[i] = work(t, b, client, &killed, &settled, watch{}) })
			}
			for deadline := time.Now().Add(time.Minute); settled.Load() < 5 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(rand.N(700 * time.Millisecond)) // the moment is meant to be any
			killed.Store(true)
			server.Kill()
			load.Wait()
			server.NoFaults(t)

			server = line.Serve(t, issuer)
			total := checkAll(t, families[:], client, h)
			t.Logf("%+v", total)
			if total.Kept < 5 {
				t.Error("there was hardly any load")
			}
			nothingHalfWritten(t, databaseURL)
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}

// family is what an app knows of one sign-in when the server dies.
type family struct {
	code            string
	redeemed, asked bool   // the code was answered with tokens; it was sent, so it may have been used
	access, refresh string // the last that were answered
	rotating        bool   // refresh was sent and not answered, so it may have been rotated
}

// watch is told what apps under load see.
type watch struct {
	answered    func(tokens map[string]any) // nil where nobody wants to know
	interrupted func(what string)           // a request to which Wicket gave no answer; nil likewise
	// commits may break, so that Wicket does not know: what it says of that is no answer
	breaking bool
}

// work signs in and refreshes as fast as it can until it is over, and counts the families that have had all their
// answers. Each family has one request under way.
func work(
	t *testing.T, b *harness.Browser, client harness.Client, over *atomic.Bool, settled *atomic.Int32, watch watch,
) []*family {
	interrupted := func(what string) {
		if watch.interrupted != nil {
			watch.interrupted(what)
		}
	}
	// A connection for each request: a proxy that reads its configuration anew closes the ones that are idle.
	patient := &http.Client{Jar: b.Jar, Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var families []*family
	// token returns the answer of the token endpoint, or nil where none came.
	token := func(form url.Values) map[string]any {
		form.Set("client_id", client.ID)
		form.Set("client_secret", client.Secret)
		response, err := patient.PostForm(b.Server.Issuer+oidc.PathToken, form)
		if err != nil {
			interrupted(err.Error())
			return nil
		}
		defer func() { _ = response.Body.Close() }()
		var answer map[string]any
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil { // cut off on its way, or a proxy's page
			interrupted(response.Status + ": " + err.Error())
			return nil
		}
		if watch.breaking && response.StatusCode >= http.StatusInternalServerError && answer["error"] != "" {
			interrupted(response.Status)
			return nil
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("under load: %s %v", response.Status, answer)
			return nil
		}
		if watch.answered != nil {
			watch.answered(answer)
		}
		return answer
	}
	for !over.Load() {
		response, err := patient.Get(b.Server.AuthorizeURL(client, nil))
		if err != nil {
			interrupted(err.Error())
			continue
		}
		_ = response.Body.Close()
		// 502 is a proxy's
		if response.StatusCode == http.StatusBadGateway || watch.breaking &&
			response.StatusCode >= http.StatusInternalServerError {
			interrupted(response.Status)
			continue
		}
		location, err := response.Location()
		if err != nil || location.Query().Get("code") == "" {
			t.Errorf("under load: %s to %v, %v", response.Status, location, err)
			break
		}
		f := &family{code: location.Query().Get("code"), asked: true}
		families = append(families, f)
		if rand.N(8) == 0 {
			f.asked = false // this app dawdles: its code is still to be redeemed when the server is back
			continue
		}
		answer := token(url.Values{
			"grant_type": {oidc.GrantCode}, "code": {f.code}, "redirect_uri": {harness.RedirectURI},
			"code_verifier": {harness.CodeVerifier},
		})
		for refreshes := 0; answer != nil; refreshes++ {
			f.redeemed, f.rotating = true, false
			f.access, f.refresh = answer["access_token"].(string), answer["refresh_token"].(string)
			if refreshes == 3 {
				settled.Add(1)
				break
			}
			f.rotating = true
			answer = token(url.Values{"grant_type": {oidc.GrantRefreshToken}, "refresh_token": {f.refresh}})
		}
	}
	return families
}

// counts is what was found after a crash, for the log.
type counts struct {
	Kept, CodesKept                 int // answered before the crash and good after it
	RotationsRepeated, RotationsEnd int // in flight: answered once more, or refused
	CodesInFlight                   int
}

// checkAll checks what every app knows, all apps at once, on several replicas where there are.
func checkAll(t *testing.T, families [][]*family, client harness.Client, servers ...*harness.Server) (total counts) {
	t.Helper()
	totals := make([]counts, len(families))
	var apps sync.WaitGroup
	for i, known := range families {
		apps.Go(func() {
			for _, f := range known {
				f.check(t, servers[(i+1)%len(servers)], client, &totals[i])
			}
		})
	}
	apps.Wait()
	for _, one := range totals {
		total.Kept += one.Kept
		total.CodesKept += one.CodesKept
		total.RotationsRepeated += one.RotationsRepeated
		total.RotationsEnd += one.RotationsEnd
		total.CodesInFlight += one.CodesInFlight
	}
	return total
}

// check asks the server that came back whether it stands by what it said.
func (f *family) check(t *testing.T, h *harness.Server, client harness.Client, total *counts) {
	t.Helper()
	refused := func(a harness.Answer) bool {
		return a.Status == http.StatusBadRequest && a.Text("error") == "invalid_grant"
	}
	if !f.redeemed {
		first := h.Redeem(t, client, f.code)
		switch {
		case !f.asked && first.Status == http.StatusOK:
			total.CodesKept++
		case f.asked && (first.Status == http.StatusOK || refused(first)):
			total.CodesInFlight++
		default:
			t.Errorf("a code that was sent (%t) and never answered: %d %v", f.asked, first.Status, first.JSON)
		}
	} else {
		if a := h.Userinfo(t, f.access); a.Status != http.StatusOK {
			t.Errorf("an access token is lost: %d %v", a.Status, a.JSON)
		}
		switch a := h.Refresh(t, client, f.refresh); {
		case a.Status == http.StatusOK && f.rotating:
			total.RotationsRepeated++
		case a.Status == http.StatusOK:
			total.Kept++
		case f.rotating && refused(a):
			total.RotationsEnd++
		default:
			t.Errorf("a refresh token is lost (sent and not answered: %t): %d %v", f.rotating, a.Status, a.JSON)
		}
	}
	if again := h.Redeem(t, client, f.code); !refused(again) {
		t.Errorf("a code works twice: %d %v", again.Status, again.JSON)
	}
}

// nothingHalfWritten looks for rows of which the transaction that wrote them must have written more.
func nothingHalfWritten(t *testing.T, databaseURL string) {
	t.Helper()
	db, err := storage.Open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	checks := map[string]string{
		"a used refresh token without its successor":     `SELECT count(*) FROM refresh_tokens t WHERE used_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM refresh_tokens s WHERE s.hash = t.successor_hash AND s.grant_id = t.grant_id)`,
		"two refresh tokens of one family unused":        `SELECT count(*) FROM (SELECT grant_id FROM refresh_tokens WHERE used_at IS NULL GROUP BY grant_id HAVING count(*) > 1) doubled`,
		"a refresh token of a code never used":           `SELECT count(*) FROM refresh_tokens t WHERE NOT EXISTS (SELECT 1 FROM codes c WHERE c.grant_id = t.grant_id AND c.used_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM device_requests d WHERE d.grant_id = t.grant_id AND d.used_at IS NOT NULL)`,
		"a used code without a refresh token":            `SELECT count(*) FROM codes c WHERE used_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = c.grant_id)`,
		"a grant without its code":                       `SELECT count(*) FROM grants g WHERE NOT EXISTS (SELECT 1 FROM codes c WHERE c.grant_id = g.id) AND NOT EXISTS (SELECT 1 FROM device_requests d WHERE d.grant_id = g.id)`,
		"a redeemed device code without its grant":       `SELECT count(*) FROM device_requests d WHERE used_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = d.grant_id)`,
		"a grant without its participation":              `SELECT count(*) FROM grants g WHERE NOT EXISTS (SELECT 1 FROM participations p WHERE p.session_id = g.session_id AND p.client_id = g.client_id)`,
		"a grant of which the audit trail does not know": `SELECT count(*) FROM grants g WHERE NOT EXISTS (SELECT 1 FROM audit_trail a WHERE a.entity = 'grant' AND a.action = 'created' AND a.entity_id = CAST(g.id AS TEXT))`,
		"a grant that ended without a record of it":      `SELECT count(*) FROM grants g WHERE ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_trail a WHERE a.entity = 'grant' AND a.action = 'ended' AND a.entity_id = CAST(g.id AS TEXT))`,
	}
	if db.Kind == storage.SQLite {
		checks["a foreign key into nowhere"] = `SELECT count(*) FROM pragma_foreign_key_check`
		checks["a damaged database"] = `SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`
	}
	for what, query := range checks {
		var n int
		if err := db.Reader().NewRaw(query).Scan(t.Context(), &n); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			t.Errorf("%s: %d times", what, n)
		}
	}
}
