package configuration_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/storage"
)

const upstream = `
version: 1
providers:
- {id: acme, kind: oidc, name: Acme, issuer: "https://login.acme.example", client_id: wicket, client_secret_file: acme}
`

// Providers are declared, changed, locked, disabled and removed as everything else.
func TestProviders(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		if plan := b.apply(t, upstream, ""); said(plan) != "created provider acme" {
			t.Error(said(plan))
		}
		active := func() []federation.Provider {
			t.Helper()
			list, err := b.Upstreams.Active(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		if list := active(); len(list) != 1 || list[0].Name != "Acme" {
			t.Errorf("%+v", list)
		}
		b.h.Pass(time.Minute)
		changed := strings.NewReplacer("name: Acme", "name: Acme Works", "file: acme", "file: new").Replace(upstream)
		plan := b.apply(t, changed, "")
		if said(plan) != "changed provider acme" || plan.Changes[0].Entries[0].New["client_secret_changed"] != true ||
			len(plan.Changes[0].Entries[0].New) != 2 {
			t.Errorf("%+v", plan)
		}
		if encoded, err := json.Marshal(plan); err != nil || strings.Contains(string(encoded), "new-new") {
			t.Errorf("a secret is in the plan: %s, %v", encoded, err)
		}
		if list := active(); len(list) != 1 || list[0].Name != "Acme Works" {
			t.Errorf("changed: %+v", list)
		}
		if plan := b.plan(t, changed, ""); said(plan) != "" {
			t.Error(said(plan))
		}
		for what, err := range map[string]error{
			"disable": b.Upstreams.SetActive(t.Context(), "acme", false),
			"update": func() error {
				_, err := b.Upstreams.Update(t.Context(), "acme", func(*federation.Provider) error { return nil })
				return err
			}(),
			"remove": func() error { _, err := b.Upstreams.Remove(t.Context(), "acme"); return err }(),
		} {
			if !errors.Is(err, declared.ErrDeclared) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if plan := b.apply(t, empty, configuration.PruneDisable); said(plan) != "disabled provider acme" {
			t.Error(said(plan))
		}
		if list := active(); len(list) != 0 {
			t.Errorf("disabled: %+v", list)
		}
		if plan := b.apply(t, changed, ""); said(plan) != "changed provider acme" || len(active()) != 1 {
			t.Errorf("named again: %s", said(plan))
		}
		b.h.Pass(time.Minute)
		b.apply(t, empty, configuration.PruneDisable)
		b.h.Pass(configuration.PruneAfter)
		if plan := b.apply(t, empty, configuration.PruneDisable); said(plan) != "deleted provider acme" {
			t.Error(said(plan))
		}
		b.apply(t, upstream, "")
		if err := b.Detach(t.Context(), operator, configuration.KindProvider, "acme"); err != nil {
			t.Error(err)
		}
		if _, err := b.Upstreams.Remove(t.Context(), "acme"); err != nil {
			t.Error(err)
		}
		_, err := b.Plan(t.Context(), operator, b.read(t, strings.Replace(upstream, ", client_secret_file: acme", "", 1)), "")
		if invalid := (*federation.InvalidProviderError)(nil); !errors.As(err, &invalid) {
			t.Errorf("a new one without a secret: %v", err)
		}
		b.Upstreams.Named = func() []federation.Provider { return []federation.Provider{{ID: "acme"}} }
		if _, err := b.Plan(t.Context(), operator, b.read(t, upstream), ""); !errors.Is(err, federation.ErrDeclared) {
			t.Errorf("one that variables name: %v", err)
		}
		if _, err := b.Upstreams.Remove(t.Context(), "nobody"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("remove one that is not there: %v", err)
		}
	})
}
