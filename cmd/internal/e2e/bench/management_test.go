package bench

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// managed is how many people the server has whose management is measured.
const managed = 120

// BenchmarkManagement measures the management API, and the console, as an owner uses them.
func BenchmarkManagement(b *testing.B) {
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			server := startBenchServer(b, storagetest.URL(b, kind), "WICKET_LIMITS=off")
			server.command(b, "", "api-key", "create", "--name", "bench", "--role", "owner", "--for", "24h")
			for worker := range benchWorkers {
				server.command(b, "", "admin", "grant", fmt.Sprintf("user%d", worker), "owner")
			}
			var people []string
			for i := range managed {
				id, err := server.register(fmt.Sprintf("person-%d", i))
				if err != nil {
					b.Fatal(err)
				}
				people = append(people, id)
			}
			for _, way := range []struct {
				name string
				once func(*visitor) error
			}{
				{"person", func(v *visitor) error { return v.api("/users/" + people[len(people)/2]) }},
				{"page of 100", func(v *visitor) error { return v.api("/users?limit=100") }},
				{"search", func(v *visitor) error { return v.api("/users?q=person-11") }},
				{"console overview", func(v *visitor) error { return v.expect(v.get("/console")) }},
				{"console people", func(v *visitor) error { return v.expect(v.get("/console/people")) }},
				{"console person", func(v *visitor) error { return v.expect(v.get("/console/people/" + people[0])) }},
			} {
				b.Run(way.name, func(b *testing.B) { server.measure(b, way.once) })
			}
		})
	}
}

// register registers a person by the API, and returns their id.
func (s *benchServer) register(username string) (string, error) {
	body := fmt.Sprintf(`{"username":%q,"name":"Somebody","email":"%s@example.com","email_verified":true}`, username, username)
	request, err := http.NewRequest(http.MethodPost, s.issuer+"/api/v1/users", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+s.apiKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	id := strings.TrimPrefix(response.Header.Get("Location"), "/api/v1/users/")
	if _, err := uuid.Parse(id); err != nil {
		return "", fmt.Errorf("register %s: %s", username, response.Status)
	}
	return id, nil
}

// api reads from the management API.
func (v *visitor) api(path string) error {
	request, err := http.NewRequest(http.MethodGet, v.server.issuer+"/api/v1"+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+v.server.apiKey)
	response, err := v.http.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return v.expect(response, err)
}

// read reads from the management API of the crowd's server, or a page of its console as its owner.
func (c *crowd) read(b *testing.B, path string) {
	request, err := http.NewRequest(http.MethodGet, c.Issuer+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.AddCookie(&http.Cookie{Name: "wicket_session", Value: c.owner})
	response, err := c.browser.Do(request)
	if shown := harness.ReadPage(b, response, err); shown.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s\n%s", path, shown.Status, shown.Text)
	}
}
