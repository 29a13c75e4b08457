package identity

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage/audit"
)

const hashOfUU = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" // of U*U

// ada is a person of whom another system knew everything.
func ada(h *testHouse) Import {
	return Import{
		Username: "Ada", PasswordHash: hashOfUU, IsActive: true, CreatedAt: h.clock.Add(-1000 * time.Hour),
		Profile: Profile{Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Birthdate: "1815-12-10", Locale: "en_GB", Zoneinfo: "Europe/London",
			Website: "https://ada.example/", Address: &Address{Locality: "London", Country: "UK"}},
		Emails: []ImportContact{{Value: "old@ada.example"}, {Value: "ada@ada.example", Verified: true}, {Value: "lady@ada.example", Verified: true, Primary: true}},
		Phones: []ImportContact{{Value: "+44 20 7946 0000"}, {Value: "+44 20 7946 0001", Verified: true}},
		Roles:  []string{"admin", "billing:read"},
	}
}

func TestImportTakesInEverything(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		user, err := h.ImportUser(audit.As(t.Context(), audit.Actor{Name: "operator:test"}), ada(h))
		if err != nil {
			t.Fatal(err)
		}
		row := h.read(t, user.ID)
		if row.Username != "Ada" || row.UsernameKey != "ada" || !row.IsActive || !row.CreatedAt.Equal(h.clock.Add(-1000*time.Hour)) || row.CreatedBy != "operator:test" || row.SessionVersion != 1 || row.PasswordHash != hashOfUU {
			t.Errorf("user %+v", row)
		}
		profile, err := h.Profile(t.Context(), user.ID)
		if err != nil || profile.Name != "Ada Lovelace" || profile.Locale != "en-GB" || profile.Birthdate != "1815-12-10" || *profile.Address != (Address{Locality: "London", Country: "UK"}) {
			t.Errorf("profile %+v, %v", profile, err)
		}
		emails, err := h.Emails(t.Context(), user.ID)
		if err != nil || len(emails) != 3 || emails[0].Address != "lady@ada.example" || !emails[0].IsPrimary || emails[0].VerifiedAt == nil {
			t.Errorf("emails %+v, %v", emails, err)
		}
		for _, email := range emails {
			if (email.VerifiedAt == nil) != (email.Address == "old@ada.example") {
				t.Errorf("email %+v", email)
			}
		}
		phones, err := h.Phones(t.Context(), user.ID)
		if err != nil || len(phones) != 2 || phones[0].Number != "+442079460001" || !phones[0].IsPrimary || phones[1].VerifiedAt != nil || phones[1].IsPrimary {
			t.Errorf("phones %+v, %v", phones, err)
		}
		roles, err := h.Roles(t.Context(), user.ID, false)
		if err != nil || len(roles) != 2 || roles[0].RoleName != "admin" || roles[0].AssignedBy != "operator:test" {
			t.Errorf("roles %+v, %v", roles, err)
		}
		lines := h.lines(t, "user", "imported")
		if len(lines) != 1 || h.ledgerLength(t) != 1 || lines[0].Actor != "operator:test" || lines[0].UserID.UUID != user.ID {
			t.Fatalf("ledger: %+v", lines)
		}
		for _, want := range []string{"lady@ada.example", "+442079460001", "billing:read", "Lovelace", "bcrypt"} {
			if !strings.Contains(string(lines[0].NewValues), want) {
				t.Errorf("the ledger lacks %q: %s", want, lines[0].NewValues)
			}
		}
		if strings.Contains(h.dump(t, "audit_trail"), hashOfUU[:20]) {
			t.Error("the hash is in the ledger")
		}
		for _, login := range []string{"ADA", "ada@ada.example", "lady@ada.example", "+44 20 7946 0001"} {
			h.enter(t, login, "U*U", nil)
		}
		for _, login := range []string{"old@ada.example", "+44 20 7946 0000"} { // not verified
			if err := h.try(t, login, "U*U"); !errors.Is(err, ErrSignInRefused) {
				t.Errorf("%s: %v", login, err)
			}
		}
	})
}

func TestImportedHashesBecomeArgon2id(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		n := 0
		for name, c := range foreignHashes {
			n++
			username := fmt.Sprintf("user%d", n)
			user, err := h.ImportUser(t.Context(), Import{Username: username, PasswordHash: c.hash, IsActive: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := h.try(t, username, "wrong password"); !errors.Is(err, ErrSignInRefused) || h.read(t, user.ID).PasswordHash != c.hash {
				t.Errorf("%s, wrong password: %v", name, err)
			}
			h.enter(t, username, c.password, nil)
			if hash := h.read(t, user.ID).PasswordHash; !phc.MatchString(hash) {
				t.Errorf("%s: the hash is then %s", name, hash)
			}
			h.enter(t, username, c.password, nil)
		}
	})
}

func TestImportRefusesAndLeavesNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		h.alice(t)
		if _, err := h.ImportUser(t.Context(), Import{Username: "bob", IsActive: true, Phones: []ImportContact{{Value: "+4930123456", Verified: true}}}); err != nil {
			t.Fatal(err)
		}
		var before []string
		tables := []string{"users", "profiles", "emails", "phones", "user_roles", "audit_trail"}
		for _, table := range tables {
			before = append(before, h.dump(t, table))
		}
		many := make([]ImportContact, 11)
		for name, c := range map[string]struct {
			change func(*Import)
			field  string
			want   error
		}{
			"no username":         {func(i *Import) { i.Username = "" }, "username", ErrUsernameInvalid},
			"a bad username":      {func(i *Import) { i.Username = "a b" }, "username", ErrUsernameInvalid},
			"plain text":          {func(i *Import) { i.PasswordHash = alicePassword }, "password_hash", ErrHashUnknown},
			"from the future":     {func(i *Import) { i.CreatedAt = h.clock.Add(time.Second) }, "created_at", ErrCreatedInvalid},
			"too old":             {func(i *Import) { i.CreatedAt = time.Unix(-1, 0) }, "created_at", ErrCreatedInvalid},
			"a bad claim":         {func(i *Import) { i.Profile.Zoneinfo = "Mars/Olympus" }, "zoneinfo", ErrZoneinfoInvalid},
			"a bad e-mail":        {func(i *Import) { i.Emails[1].Value = "nobody" }, "emails[1]", ErrEmailInvalid},
			"an e-mail twice":     {func(i *Import) { i.Emails[1].Value = "LADY@ada.example" }, "emails[2]", ErrEmailListed},
			"two primaries":       {func(i *Import) { i.Emails[1].Primary = true }, "emails", ErrTooManyPrimaries},
			"primary, unverified": {func(i *Import) { i.Emails[2].Verified = false }, "emails[2]", ErrPrimaryUnverified},
			"many e-mails":        {func(i *Import) { i.Emails = many }, "emails", ErrTooManyEmails},
			"Alice's e-mail":      {func(i *Import) { i.Emails[1].Value = "Alice@Example.com" }, "emails[1]", ErrEmailTaken},
			"a bad phone":         {func(i *Import) { i.Phones[0].Value = "030 1234" }, "phones[0]", ErrPhoneInvalid},
			"a phone twice":       {func(i *Import) { i.Phones[1].Value = i.Phones[0].Value }, "phones[1]", ErrPhoneListed},
			"phone, unverified":   {func(i *Import) { i.Phones[0].Primary = true }, "phones[0]", ErrPrimaryUnverified},
			"many phones":         {func(i *Import) { i.Phones = many }, "phones", ErrTooManyPhones},
			"Bob's phone":         {func(i *Import) { i.Phones[1].Value = "+49 30 123456" }, "phones[1]", ErrPhoneTaken},
			"a bad role":          {func(i *Import) { i.Roles[0] = "two words" }, "roles[0]", ErrRoleInvalid},
			"a role twice":        {func(i *Import) { i.Roles[1] = "admin" }, "roles[1]", ErrRoleHeld},
			"many roles":          {func(i *Import) { i.Roles = make([]string, 101) }, "roles", ErrTooManyRoles},
		} {
			person := ada(h)
			c.change(&person)
			_, err := h.ImportUser(t.Context(), person)
			var faults FieldFaults
			if !errors.As(err, &faults) || !errors.Is(faults[c.field], c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		person := ada(h)
		person.Username = "ALICE"
		if _, err := h.ImportUser(t.Context(), person); !errors.Is(err, ErrUsernameTaken) {
			t.Errorf("a taken username: %v", err)
		}
		person = ada(h)
		person.DryRun = true
		if _, err := h.ImportUser(t.Context(), person); err != nil {
			t.Errorf("dry run: %v", err)
		}
		for i, table := range tables {
			if h.dump(t, table) != before[i] {
				t.Errorf("%s is not as it was", table)
			}
		}
		if _, err := h.ImportUser(t.Context(), ada(h)); err != nil {
			t.Errorf("the good one: %v", err)
		}
	})
}

func TestImportOfAnInactiveAccountLetsNobodyIn(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		user, err := h.ImportUser(t.Context(), Import{Username: "eve", PasswordHash: hashOfUU, Emails: []ImportContact{{Value: "eve@example.com"}}})
		if err != nil || user.ID == uuid.Nil {
			t.Fatal(err)
		}
		if err := h.try(t, "eve", "U*U"); !errors.Is(err, ErrSignInRefused) {
			t.Errorf("sign in: %v", err)
		}
		if email, err := h.PrimaryEmail(t.Context(), user.ID); err != nil || email == nil || email.VerifiedAt != nil {
			t.Errorf("primary: %+v, %v", email, err)
		}
	})
}
