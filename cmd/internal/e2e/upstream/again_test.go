package upstream

import (
	"context"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
)

// Who is asked to show that it is still them is offered the providers that they have linked, and no others; and a
// provider that they have linked is not offered again as if it was not.
func TestOnlyOwnProvidersAreOfferedAgain(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		for _, id := range []string{"acme", "other"} {
			h.AddProvider(t, &federation.Provider{
				ID: id, Kind: federation.KindOpenID, Name: id, Issuer: "https://" + id + ".example", ClientID: "c",
				Secret: harness.UpstreamSecret,
			})
		}
		b := h.NewBrowser(t)
		b.SignIn(t, harness.Page{})
		if shown := b.Get(t, "/sign-in?again=1"); strings.Contains(shown.Text, `id="with-`) {
			t.Errorf("providers are offered of which they have linked none:\n%s", shown.Text)
		}
		now := identity.Clock()
		account := &identity.ExternalAccount{
			ID: storage.NewID(), UserID: h.User.ID, Provider: "acme", Issuer: "https://acme.example", Subject: "alice",
			Label: "alice@acme.example", Profile: []byte("{}"), LastUsedAt: now, CreatedAt: now, ModifiedAt: now,
		}
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(account).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		shown := b.Get(t, "/sign-in?again=1")
		if !strings.Contains(shown.Text, `id="with-acme"`) || strings.Contains(shown.Text, `id="with-other"`) {
			t.Errorf("after one was linked:\n%s", shown.Text)
		}
		if stranger := h.NewBrowser(t).Get(t, "/sign-in"); !strings.Contains(stranger.Text, `id="with-other"`) {
			t.Error("who is not signed in is not offered all providers")
		}
		page := b.Get(t, "/account/linked").Text
		another := strings.Index(page, "Link another account of the same service")
		acme, other := strings.Index(page, `id="link-acme"`), strings.Index(page, `id="link-other"`)
		if another < 0 || acme < another || other < 0 || other > another {
			t.Errorf("the page of linked accounts:\n%s", page)
		}
	})
}
