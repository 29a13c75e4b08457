package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

func TestUsernamesThatAreOneName(t *testing.T) {
	for name, group := range map[string][]string{
		"case":               {"alice", "Alice", "ALICE"},
		"case beyond ASCII":  {"zoë", "ZOË", "Zoë"},
		"width":              {"alice7", "ａｌｉｃｅ７", "ＡＬＩＣＥ7"},
		"composition":        {"jos\u00e9", "jose\u0301", "JOSE\u0301"},
		"Hangul composition": {"\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
	} {
		want, err := identifier.UsernameKey(group[0])
		if err != nil {
			t.Errorf("%s: %q is refused", name, group[0])
		}
		for _, other := range group[1:] {
			if got, err := identifier.UsernameKey(other); err != nil || got != want {
				t.Errorf("%s: %q and %q are two names: %q, %q (%v)", name, group[0], other, want, got, err)
			}
		}
	}
}

func TestUsernamesThatAreTwoNames(t *testing.T) {
	for _, pair := range [][2]string{
		{"alice", "alice1"}, {"alice", "al1ce"}, {"a.b", "ab"}, {"a_b", "a-b"}, {"strasse", "straße"},
		{"alice", "аlice"}, // a Cyrillic а: PRECIS leaves look-alikes to others
	} {
		first, errFirst := identifier.UsernameKey(pair[0])
		second, errSecond := identifier.UsernameKey(pair[1])
		if errFirst != nil || errSecond != nil || first == second {
			t.Errorf("%q and %q: %q (%v), %q (%v)", pair[0], pair[1], first, errFirst, second, errSecond)
		}
	}
}

func TestUsernamesAllowedAndRefused(t *testing.T) {
	for username, allowed := range map[string]bool{
		"a": true, "a.b_c-d": true, "o'brien": true, "user+tag": true, "42": true,
		"אבי": true, "علي": true, "李雷": true, "ŁUKASZ": true,
		strings.Repeat("a", 100): true, strings.Repeat("é", 100): true,
		strings.Repeat("a", 101): false, strings.Repeat("é", 101): false,
		"": false, " ": false, "a b": false, " alice": false, "alice ": false, "a\tb": false, "a\nb": false,
		"a\u00a0b": false, "a\u3000b": false,
		"alice@example.com": false, "@": false, "a＠b": false, // a wide @ becomes one
		"a\x00b": false, "\x00": false, "\xff": false, "a\x7f": false,
		"a\u200bb": false, "a\u200db": false, "\ufeffalice": false, // invisible
		"a\u202eb": false, "a\u200fb": false, // marks that turn the direction
		"aא": false, "אa": false, // both directions in one name: RFC 5893
		"ⅳ": false, "ﬁ": false, "☃": false, "👩": false,
	} {
		_, err := identifier.UsernameKey(username)
		if allowed != (err == nil) || err != nil && !errors.Is(err, identifier.ErrUsernameInvalid) {
			t.Errorf("%q: %v, allowed should be %v", username, err, allowed)
		}
	}
}

func TestRegisteringWhatIsTakenOrWrong(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		lines := h.AuditTrailLength(t)
		for name, attempt := range map[string]struct {
			person identity.NewUser
			want   error
		}{
			"the same name":            {identity.NewUser{Username: "Alice"}, identity.ErrUsernameTaken},
			"the name in other case":   {identity.NewUser{Username: "aLICE"}, identity.ErrUsernameTaken},
			"the name in wide letters": {identity.NewUser{Username: "ａlice"}, identity.ErrUsernameTaken},
			"a verified e-mail": {identity.NewUser{
				Username: "bob", Email: "alice@example.com", EmailVerified: true,
			}, identity.ErrEmailTaken},
			"a verified e-mail in other case": {identity.NewUser{
				Username: "bob", Email: "ALICE@Example.COM", EmailVerified: true,
			}, identity.ErrEmailTaken},
			"no name":                           {identity.NewUser{Username: ""}, identifier.ErrUsernameInvalid},
			"an e-mail as a name":               {identity.NewUser{Username: "bob@example.com"}, identifier.ErrUsernameInvalid},
			"no e-mail address":                 {identity.NewUser{Username: "bob", Email: "bob"}, identifier.ErrEmailInvalid},
			"a short password":                  {identity.NewUser{Username: "bob", Password: "1234567"}, password.ErrWeak},
			"a password of 7 letters, 14 bytes": {identity.NewUser{Username: "bob", Password: "ääääääö"}, password.ErrWeak},
			"an endless password": {identity.NewUser{
				Username: "bob", Password: strings.Repeat("x", 257),
			}, password.ErrWeak},
		} {
			if user, err := h.Users().Create(t.Context(), attempt.person); !errors.Is(err, attempt.want) || user != nil {
				t.Errorf("%s: %v, want %v", name, err, attempt.want)
			}
		}
		if now := h.AuditTrailLength(t); now != lines {
			t.Errorf("what did not happen is in the audit trail: %d lines more", now-lines)
		}
		if users, err := h.Users().List(t.Context(), uuid.Nil, 10); err != nil || len(users) != 1 {
			t.Errorf("%d people are registered, want alice alone (%v)", len(users), err)
		}
	})
}

func TestManyPeopleMayClaimAnAddressAndOneMayHaveVerifiedIt(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Register(t, identity.NewUser{Username: "bob", Email: "shared@example.com"})
		h.Register(t, identity.NewUser{Username: "carol", Email: "Shared@example.com"})
		owner := h.Register(t, identity.NewUser{Username: "dave", Email: "shared@example.com", EmailVerified: true})
		h.Register(t, identity.NewUser{Username: "erin", Email: "shared@example.com"})
		found, err := h.Users().Find(t.Context(), "SHARED@example.com")
		if err != nil || found.ID != owner.ID {
			t.Errorf("the address names %v (%v), want who verified it", found, err)
		}
		email, err := h.Emails().Primary(t.Context(), owner.ID)
		if err != nil || email == nil || email.VerifiedAt == nil || email.Address != "shared@example.com" {
			t.Errorf("primary e-mail %+v, %v", email, err)
		}
	})
}

func TestRegistrationIsInTheLedger(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		ctx := audit.As(t.Context(), audit.Actor{Name: "operator:ops", IP: "192.0.2.9"})
		user, err := h.Users().Create(ctx, identity.NewUser{
			Username: "Alice", Email: "alice@example.com", Password: identitytest.AlicePassword,
		})
		if err != nil {
			t.Fatal(err)
		}
		lines := h.Lines(t, "user", "created")
		if len(lines) != 1 || lines[0].EntityID != user.ID.String() || lines[0].UserID.UUID != user.ID ||
			lines[0].Actor != "operator:ops" || lines[0].IP != "192.0.2.9" || !lines[0].At.Equal(h.Clock) {
			t.Errorf("audit trail: %+v", lines)
		}
		stored := h.Read(t, user.ID)
		if stored.CreatedBy != "operator:ops" || !stored.CreatedAt.Equal(h.Clock) || stored.Username != "Alice" ||
			stored.SessionVersion != 1 || !stored.IsActive {
			t.Errorf("row: %+v", stored)
		}
	})
}

func TestFindUserByEachOfTheirNames(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		h.Register(t, identity.NewUser{Username: "bob", Email: "bob@example.com"})
		for _, reference := range []string{"alice", " ALICE ", "alice@example.com", alice.ID.String()} {
			if user, err := h.Users().Find(t.Context(), reference); err != nil || user.ID != alice.ID {
				t.Errorf("%q: %v", reference, err)
			}
		}
		for _, reference := range []string{"", "nobody", "bob@example.com", "not an address@", uuid.NewString(), "a b"} {
			if _, err := h.Users().Find(t.Context(), reference); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%q: %v, want not found", reference, err)
			}
		}
	})
}

func TestUsersAreListedInPagesByTheirRegistration(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		names := []string{"carol", "alice", "bob"}
		for _, name := range names {
			h.Register(t, identity.NewUser{Username: name})
		}
		var got []string
		for after := uuid.Nil; len(got) <= len(names); {
			page, err := h.Users().List(t.Context(), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, user := range page {
				got, after = append(got, user.Username), user.ID
			}
		}
		if strings.Join(got, " ") != strings.Join(names, " ") {
			t.Errorf("listed %v, registered %v", got, names)
		}
	})
}

func TestSwitchingAndUnlockingAccountsIsInTheLedger(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		ctx := audit.As(t.Context(), audit.Actor{Name: "operator:ops"})
		for action, do := range map[string]func() error{
			"disabled": func() error { return h.Users().SetActive(ctx, alice.ID, false) },
			"unlocked": func() error { return h.Users().Unlock(ctx, alice.ID) },
			"enabled":  func() error { return h.Users().SetActive(ctx, alice.ID, true) },
		} {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			if lines := h.Lines(t, "user", action); len(lines) != 1 || lines[0].Actor != "operator:ops" ||
				lines[0].UserID.UUID != alice.ID {
				t.Errorf("%s: %+v", action, lines)
			}
		}
		if by := h.Read(t, alice.ID).ModifiedBy; by != "operator:ops" {
			t.Errorf("modified by %q", by)
		}
		before := h.AuditTrailLength(t)
		if err := h.Users().SetActive(ctx, uuid.New(), false); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if err := h.Users().Unlock(ctx, uuid.New()); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if h.AuditTrailLength(t) != before {
			t.Error("a change of nobody is in the audit trail")
		}
	})
}

// An administrator at the SQL prompt does not think of modified_at; the database does.
func TestModifiedAtIsTrueWhoeverWrites(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		alice := h.Alice(t)
		for table, change := range map[string]struct{ statement, key string }{
			"users":    {"UPDATE users SET is_active = TRUE WHERE id = ?", "id"},
			"profiles": {"UPDATE profiles SET nickname = 'Al' WHERE user_id = ?", "user_id"},
			"emails":   {"UPDATE emails SET is_primary = TRUE WHERE user_id = ?", "user_id"},
		} {
			modified := func() (at time.Time) {
				t.Helper()
				query := h.Database.Reader().NewSelect().Table(table).Column("modified_at").Where(change.key+" = ?", alice.ID)
				if err := query.Scan(t.Context(), &at); err != nil {
					t.Fatal(err)
				}
				return at
			}
			if got := modified(); !got.Equal(h.Clock) {
				t.Fatalf("%s: born with modified_at %s, want %s", table, got, h.Clock)
			}
			before := time.Now().Add(-time.Minute)
			h.Exec(t, change.statement, alice.ID)
			if got := modified(); got.Before(before) || got.After(time.Now().Add(time.Minute)) {
				t.Errorf("%s: after a change modified_at is %s, want about now", table, got)
			}
			// A room that says when keeps its word.
			said := h.Clock.Add(time.Hour)
			h.Exec(t, "UPDATE "+table+" SET modified_at = ? WHERE "+change.key+" = ?", said, alice.ID)
			if got := modified(); !got.Equal(said) {
				t.Errorf("%s: modified_at was set to %s and is %s", table, said, got)
			}
		}
	})
}
