package apps

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Every page of the documentation about a kind of app can be followed in the console, with what belongs to the app in
// place of the examples.
func TestRecipesCanBeFollowed(t *testing.T) {
	known := map[string]string{ // where people come back to an app at https://app.example.org/base
		"django": "/oidc/callback/", "grafana": "/login/generic_oauth", "gitea": "/user/oauth2/wicket/callback",
		"nextjs": "/api/auth/callback/wicket", "spa": "/", "nextcloud": "/apps/user_oidc/code", "go": "/callback",
	}
	origin, err := url.Parse("https://app.example.org/base/")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recipes {
		if kindNamed(r.kind) == nil || r.Title == "" || strings.ContainsAny(r.Title, "`[]*#") {
			t.Errorf("%s: %q of the kind %q", r.ID, r.Title, r.kind)
		}
		if want, ok := known[r.ID]; ok {
			if redirect, _ := r.at(origin); redirect != "https://app.example.org/base"+want {
				t.Errorf("%s: people come back to %s", r.ID, redirect)
			}
			delete(known, r.ID)
		}
		blocks := r.blocks(values{"https://id.example.net", "the-app-s-id", "the-app-s-secret", "https://app.example.org"})
		var text strings.Builder
		code := 0
		for _, block := range blocks {
			if block.Code != "" {
				code++
			}
			text.WriteString(block.Heading + block.Code)
			for _, span := range block.Spans {
				text.WriteString(span.Text)
			}
			text.WriteByte('\n')
		}
		if code == 0 {
			t.Errorf("%s: there is no code", r.ID)
		}
		for _, left := range []string{"client create", "localhost:8080", "Before you begin", "the client_id", "](", "```", "**"} {
			if strings.Contains(text.String(), left) {
				t.Errorf("%s: %q is left:\n%s", r.ID, left, &text)
			}
		}
		if !strings.Contains(text.String(), "https://id.example.net") {
			t.Errorf("%s: nothing says where Wicket is:\n%s", r.ID, &text)
		}
	}
	if len(known) > 0 {
		t.Errorf("there are no recipes for %v", known)
	}
	if r := recipeNamed("grafana"); r == nil || !slices.Contains(r.scopes, "roles") ||
		!slices.Contains(strings.Fields(scopesFor(r.scopes, false)), "roles") {
		t.Error("Grafana is not told of roles")
	}
	if recipeNamed("none") != nil {
		t.Error("there is a recipe for nothing")
	}
}
