package groups_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/identitytest"
)

// What a source says of a person counts beside what others say, and takes back nothing but its own.
func TestASourceTakesBackItsOwnAlone(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		store := h.Groups()
		user, err := h.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		sync := func(source string, slugs ...string) error {
			return h.Database.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
				return groups.Sync(ctx, tx, store.Now(), user.ID, source, slugs)
			})
		}
		in := func(want string) {
			t.Helper()
			memberships, err := store.Of(t.Context(), user.ID, false)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range memberships {
				got = append(got, m.Group.Slug+" by "+m.Source)
			}
			slices.Sort(got)
			if strings.Join(got, ", ") != want {
				t.Errorf("alice is in: %s; want: %s", strings.Join(got, ", "), want)
			}
		}
		if _, err := store.Create(t.Context(), "staff", ""); err != nil {
			t.Fatal(err)
		}
		if err := store.Add(t.Context(), "staff", user.ID); err != nil {
			t.Fatal(err)
		}
		for _, source := range []string{"provider:a", "provider:b"} {
			if err := sync(source, "staff", "it", "it"); err != nil {
				t.Fatal(err)
			}
		}
		in("it by provider:a, it by provider:b, staff by here, staff by provider:a, staff by provider:b")
		if err := sync("provider:a", "sales"); err != nil {
			t.Fatal(err)
		}
		in("it by provider:b, sales by provider:a, staff by here, staff by provider:b")
		if err := errors.Join(sync("provider:a"), sync("provider:b")); err != nil {
			t.Fatal(err)
		}
		in("staff by here")
		if err := sync("provider:a", "staff"); err != nil { // again
			t.Fatal(err)
		}
		members, err := store.Members(t.Context(), "staff", [16]byte{}, 10)
		if err != nil || len(members) != 1 || !slices.Equal(members[0].Sources, []string{"here", "provider:a"}) {
			t.Errorf("the members are %+v, %v", members, err)
		}
		if err := store.Remove(t.Context(), "staff", user.ID); err != nil { // an operator's word is above all
			t.Fatal(err)
		}
		in("")
		if err := sync("provider:a", "Not A Slug"); !errors.Is(err, groups.ErrSlugInvalid) {
			t.Errorf("a group that cannot be: %v", err)
		}
		history, err := store.Of(t.Context(), user.ID, true)
		if err != nil || len(history) != 7 || slices.ContainsFunc(history, func(m groups.Membership) bool {
			return m.IsActive || m.EndedAt == nil || m.EndedBy == ""
		}) {
			t.Errorf("the history: %+v, %v", history, err)
		}
		if found, err := store.Find(t.Context(), "it"); err != nil || found.Source != "provider:a" {
			t.Errorf("a group that a provider has made: %+v, %v", found, err)
		}
	})
}
