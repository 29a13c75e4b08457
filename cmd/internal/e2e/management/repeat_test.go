package management

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/administrators"
)

func TestRequestThatComesAgain(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.Owner)
		body := map[string]any{"name": "ci", "role": "support", "expires_at": h.Manage.Now().Add(time.Minute)}
		first := c.must(t, http.StatusCreated, http.MethodPost, "/api/v1/api-keys", body, "Idempotency-Key", "one")
		second := c.must(t, http.StatusCreated, http.MethodPost, "/api/v1/api-keys", body, "Idempotency-Key", "one")
		if first.Text != second.Text || second.Header.Get("Idempotency-Replayed") != "true" ||
			second.Header.Get("Content-Type") != first.Header.Get("Content-Type") {
			t.Errorf("answered first with %s and then with %s", first.Text, second.Text)
		}
		body["name"] = "another"
		other := c.must(
			t,
			http.StatusUnprocessableEntity,
			http.MethodPost,
			"/api/v1/api-keys",
			body,
			"Idempotency-Key",
			"one",
		)
		if other.code() != "idempotency.reused" {
			t.Error(other.Text)
		}
		// Another caller's key of the same name is another.
		keyFor(
			t,
			h,
			administrators.Owner,
		).must(
			t,
			http.StatusCreated,
			http.MethodPost,
			"/api/v1/api-keys",
			body,
			"Idempotency-Key",
			"one",
		)
		// What was refused may be tried again.
		c.must(
			t,
			http.StatusConflict,
			http.MethodPost,
			"/api/v1/users",
			map[string]any{"username": "alice"},
			"Idempotency-Key",
			"two",
		)
		c.must(
			t,
			http.StatusCreated,
			http.MethodPost,
			"/api/v1/users",
			map[string]any{"username": "alice2"},
			"Idempotency-Key",
			"two",
		)
		c.must(t, http.StatusUnprocessableEntity, http.MethodPost, "/api/v1/users", map[string]any{"username": "x1"},
			"Idempotency-Key", strings.Repeat("x", 300))

		var wg sync.WaitGroup
		var mutex sync.Mutex
		answers := map[string]int{}
		for range 20 {
			wg.Go(func() {
				got := c.call(
					t,
					http.MethodPost,
					"/api/v1/users",
					map[string]any{"username": "dora"},
					"Idempotency-Key",
					"three",
				)
				mutex.Lock()
				defer mutex.Unlock()
				if got.Status == http.StatusCreated {
					answers[got.Text]++
				} else if got.code() != "idempotency.busy" {
					t.Errorf("%d %s", got.Status, got.Text)
				}
			})
		}
		wg.Wait()
		if len(answers) != 1 {
			t.Errorf("twenty at once got %d answers: %v", len(answers), answers)
		}
	})
}

func TestNothingSentIsRepeated(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		c := keyFor(t, h, administrators.Owner)
		const secret = "hunter2-hunter2"
		for _, try := range []struct{ method, path, body string }{
			{http.MethodPost, "/api/v1/users", `{"username":"dora","password":["` + secret + `"]}`},
			{http.MethodPost, "/api/v1/users", `{"username":"dora","passwort":"` + secret + `"}`},
			{http.MethodPost, "/api/v1/users", `{"username":"dora","password":"` + secret},
			{http.MethodPost, "/api/v1/users", `"` + secret + `"`},
			{http.MethodPut, "/api/v1/clients/x", `{"client_secret":["` + secret + `"]}`},
			{http.MethodGet, "/api/v1/users?sort=" + secret, ""},
			{http.MethodGet, "/api/v1/users/" + secret, ""},
		} {
			got := c.call(t, try.method, try.path, try.body, "If-Match", "*")
			if got.Status < 400 || got.Status >= 500 || strings.Contains(got.Text, secret) {
				t.Errorf("%s %s %s: %d %s", try.method, try.path, try.body, got.Status, got.Text)
			}
			if got.Header.Get("Content-Type") != "application/problem+json" ||
				got.JSON["request_id"] != got.Header.Get("X-Request-Id") {
				t.Errorf("no problem: %v %s", got.Header, got.Text)
			}
		}
		for path, status := range map[string]int{
			"/api": http.StatusNotFound, "/api/v1/nothing": http.StatusNotFound, "/api/v2/users": http.StatusNotFound,
		} {
			if got := c.must(t, status, http.MethodGet, path, nil); got.code() != "no_route" {
				t.Error(got.Text)
			}
		}
		c.must(t, http.StatusMethodNotAllowed, http.MethodPut, "/api/v1/users", "{}")
	})
}
