package configuration_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Whatever a file says, once it was applied a plan has nothing to do, and what is exported then says the same.
func FuzzConfiguration(f *testing.F) {
	for _, seed := range append(files, whole, empty) {
		f.Add(seed)
	}
	for _, c := range faulty {
		f.Add(c.file)
	}
	b := newBench(f, storagetest.Open(f, storage.SQLite))
	f.Fuzz(func(t *testing.T, file string) { holds(t, b, file) })
}

// What lies deep in one another is refused at once: the parser's time would grow with the square of the depth.
func TestDeepFiles(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"[", "{", "- ", "? ", "-\t", "[[]", "a: [\n"} {
		deep := "version: 1\nx:\n " + strings.Repeat(part, 200_000)
		_, err := configuration.Read([]byte(deep), configuration.Secrets{})
		if err == nil || !strings.Contains(err.Error(), "in one another") {
			t.Errorf("%q: %.200v", part, err)
		}
	}
}

// holds applies a file, if it is one, to a server that others were applied to.
func holds(t *testing.T, b *bench, file string) {
	t.Helper()
	if strings.Contains(file, "sector_identifier_uri") {
		return // which is fetched
	}
	document, err := configuration.Read([]byte(file), b.secrets)
	if err != nil {
		fault, faults := (*configuration.Fault)(nil), configuration.Faults(nil)
		if !errors.As(err, &fault) && !errors.As(err, &faults) || err.Error() == "" {
			t.Fatalf("what is wrong with it is no fault: %v", err)
		}
		return
	}
	b.h.Pass(time.Second)
	planned, planErr := b.Plan(t.Context(), operator, document, configuration.PruneDelete)
	applied, err := b.Apply(t.Context(), operator, document, configuration.PruneDelete, "")
	if err != nil {
		if planErr == nil || planErr.Error() != err.Error() {
			t.Fatalf("applied: %v; planned: %v", err, planErr)
		}
		for _, known := range []error{
			clients.ErrClient, apis.ErrAPI, apis.ErrOwnAPI, declared.ErrDeclared,
		} {
			if errors.Is(err, known) {
				return
			}
		}
		if invalid := (*federation.InvalidProviderError)(nil); errors.As(err, &invalid) {
			return
		}
		t.Fatal(err)
	}
	if planned.Digest != applied.Digest || said(planned) != said(applied) {
		t.Fatalf("planned %s, applied %s", said(planned), said(applied))
	}
	again, err := b.Plan(t.Context(), operator, document, configuration.PruneDelete)
	if err != nil || len(again.Changes) > 0 {
		t.Fatalf("applied, and planned again: %v, %v", again, err)
	}
	exported := secretComment.ReplaceAllString(b.export(t), "")
	if document, err = configuration.Read([]byte(exported), b.secrets); err != nil {
		t.Fatalf("%v\n%s", err, exported)
	}
	document.Source = applied.Source
	for _, c := range document.Clients {
		c.Client.DeclaredBy = applied.Source
	}
	for i := range document.APIs {
		document.APIs[i].DeclaredBy = applied.Source
	}
	for i := range document.Providers {
		document.Providers[i].DeclaredBy = applied.Source
	}
	again, err = b.Plan(t.Context(), operator, document, "")
	if errors.Is(err, declared.ErrDeclared) {
		return // by a file of another source, which was applied before
	}
	if err != nil || len(again.Changes) > 0 {
		t.Fatalf("exported, and planned: %+v, %v\n%s", again, err, exported)
	}
}
