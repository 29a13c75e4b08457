package configuration_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// secretComment is where an exported file says that a secret is needed.
var secretComment = regexp.MustCompile(`(?m)^    # (client_secret_file: \S+) .*$`)

func (b *bench) export(t testing.TB) string {
	t.Helper()
	file, err := b.Export(t.Context(), operator)
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// What is exported makes the same on an empty server, and changes nothing on the one that it was exported from.
func TestExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		for _, client := range []*clients.Client{
			{ID: "by-hand", Name: "By hand: yes", RedirectURIs: []string{"https://hand.example/?a=b&c=%20"}},
			{ID: "post", Name: "\"Quoted\" # no comment", AuthMethod: clients.AuthPost, RedirectURIs: []string{"https://post.example/"}},
			{ID: "123", Name: "true", AuthMethod: clients.AuthNone, RedirectURIs: []string{"com.example.app:/cb"}},
			{ID: "closed", Name: "Closed", Access: "listed", RedirectURIs: []string{"https://closed.example/"}, IsDisabled: true},
			{
				ID: "signer", Name: "Signer", AuthMethod: clients.AuthPrivateKeyJWT, GrantTypes: []string{"client_credentials"},
				JWKS: oidctest.JWKSOf(t, "k", oidctest.NewAppKey(t).Public()), Contacts: []string{"a@example.com", "- b"},
			},
		} {
			b.h.Add(t, client)
		}
		b.apply(t, whole+strings.Replace(upstream, "version: 1\n", "", 1), "")
		file := b.export(t)
		for _, part := range []string{"# client_secret_file: grafana ", "access: [staff]", "groups_claim: teams"} {
			if !strings.Contains(file, part) {
				t.Errorf("%q is not in\n%s", part, file)
			}
		}
		for _, absent := range []string{"secret: ", "spa  (", "any_secret_method", "id_token_signed"} {
			if strings.Contains(file, absent) {
				t.Errorf("%q is in\n%s", absent, file)
			}
		}
		adopted := b.plan(t, file, "")
		for _, change := range adopted.Changes {
			if len(change.Entries) != 1 || len(change.Entries[0].New) != 1 || change.Entries[0].New["declared_by"] == "" {
				t.Errorf("applied where it comes from, it would change %+v", change)
			}
		}
		if len(adopted.Changes) != 5 {
			t.Error(said(adopted))
		}

		empty := newBench(t, storagetest.Open(t, b.h.Database.Kind))
		full := secretComment.ReplaceAllString(file, "    $1")
		empty.apply(t, full, "")
		if again := empty.export(t); again != file {
			t.Errorf("exported:\n%s\nexported again:\n%s", file, again)
		}
		if plan := empty.plan(t, full, ""); said(plan) != "" {
			t.Errorf("planned after that: %s", said(plan))
		}
	})
}
