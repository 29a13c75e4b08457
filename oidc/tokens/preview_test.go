package tokens_test

import (
	"testing"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

// A preview writes nothing: a pairwise subject that there is none of yet is made at the first sign-in.
func TestPreviewMakesNoSubject(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		client := &clients.Client{
			Name: "App", RedirectURIs: []string{"https://app.example/cb"}, SubjectType: "pairwise", IsTrusted: true,
		}
		if _, err := h.Clients.Create(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		sub := func() any {
			t.Helper()
			preview, err := h.Tokens.Preview(t.Context(), client, user.ID, []string{"openid"})
			if err != nil {
				t.Fatal(err)
			}
			if preview.Userinfo["sub"] != preview.IDToken["sub"] {
				t.Errorf("two subjects: %v and %v", preview.Userinfo["sub"], preview.IDToken["sub"])
			}
			return preview.IDToken["sub"]
		}
		unknown := sub()
		if made, err := h.Tokens.PairwiseSubjects(t.Context(), user.ID); err != nil || len(made) != 0 {
			t.Errorf("the preview made %v, %v", made, err)
		}
		subject, err := h.Tokens.Subject(t.Context(), client, user.ID)
		if err != nil {
			t.Fatal(err)
		}
		if known := sub(); known != subject || unknown == subject || unknown == user.ID.String() {
			t.Errorf("before %v, then %v, which is %v", unknown, known, subject)
		}
	})
}
