package tokens_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage"
)

// The apps of one sector know a person by one name, which those of others do not, and which goes with the person.
func TestPairwiseSubjects(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		person := func(name string) uuid.UUID {
			user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: name})
			if err != nil {
				t.Fatal(err)
			}
			return user.ID
		}
		alice, bob := person("alice"), person("bob")
		subject := func(of *tokens.Service, sector string, who uuid.UUID) string {
			got, err := of.Subject(t.Context(), &clients.Client{Sector: sector}, who)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		beside := tokens.New(h.Provider, h.Clients, h.APIs, h.Keys, h.Identity) // another replica
		seen := map[string]bool{}
		for _, sector := range []string{"a.example", "b.example"} {
			for _, who := range []uuid.UUID{alice, bob} {
				got := subject(h.Tokens, sector, who)
				if got != subject(h.Tokens, sector, who) || got != subject(beside, sector, who) {
					t.Error("another subject the second time")
				}
				if _, err := uuid.Parse(got); err == nil || seen[got] || len(got) > 255 {
					t.Errorf("the subject %q", got)
				}
				seen[got] = true
				if found, err := h.Tokens.PersonKnownAs(t.Context(), got); err != nil || found != who {
					t.Errorf("%q is %v, %v", got, found, err)
				}
			}
		}
		if got := subject(h.Tokens, "", alice); got != alice.String() {
			t.Errorf("the public subject %q", got)
		}
		if list, err := h.Tokens.PairwiseSubjects(t.Context(), alice); err != nil || len(list) != 2 ||
			list[0].Sector != "a.example" || list[0].Subject != subject(h.Tokens, "a.example", alice) {
			t.Errorf("%+v, %v", list, err)
		}
		known := subject(h.Tokens, "a.example", alice)
		err := h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Model((*identity.User)(nil)).Where("id = ?", alice).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Tokens.PersonKnownAs(t.Context(), known); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("somebody who was erased is known as %q: %v", known, err)
		}
		if _, err := beside.Subject(t.Context(), &clients.Client{Sector: "c.example"}, alice); !errors.Is(
			err, storage.ErrNotFound,
		) {
			t.Errorf("somebody who was erased gets a subject: %v", err)
		}
	})
}

// Many that ask for the first time at once, on several replicas, get one subject.
func TestOnePairwiseSubjectOfMany(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		const many = 20
		var got [many]string
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				replica := tokens.New(h.Provider, h.Clients, h.APIs, h.Keys, h.Identity)
				var err error
				if got[i], err = replica.Subject(t.Context(), &clients.Client{Sector: "a.example"}, user.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, subject := range got {
			if subject == "" || subject != got[0] {
				t.Fatalf("%q and %q", got[0], subject)
			}
		}
	})
}
