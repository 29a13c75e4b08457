package transfer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/password/passwordtest"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/storage/audit"
)

const hashOfUU = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" // of U*U

// ada is a person of whom another system knew everything.
func ada(h *identitytest.Stack) transfer.Import {
	return transfer.Import{
		Username: "Ada", PasswordHash: hashOfUU, IsActive: true, CreatedAt: h.Clock.Add(-1000 * time.Hour),
		Profile: profile.Profile{Name: "Ada Lovelace", GivenName: "Ada", FamilyName: "Lovelace", Birthdate: "1815-12-10", Locale: "en_GB", Zoneinfo: "Europe/London",
			Website: "https://ada.example/", Address: &profile.Address{Locality: "London", Country: "UK"}},
		Emails: []transfer.ImportContact{
			{Value: "old@ada.example"}, {Value: "ada@ada.example", Verified: true},
			{Value: "lady@ada.example", Verified: true, Primary: true},
		},
		Phones: []transfer.ImportContact{{Value: "+44 20 7946 0000"}, {Value: "+44 20 7946 0001", Verified: true}},
		Roles:  []string{"admin", "billing:read"},
	}
}

func TestImportTakesInEverything(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		user, err := h.Transfer.Import(audit.As(t.Context(), audit.Actor{Name: "operator:test"}), ada(h))
		if err != nil {
			t.Fatal(err)
		}
		row := h.Read(t, user.ID)
		if row.Username != "Ada" || row.UsernameKey != "ada" || !row.IsActive ||
			!row.CreatedAt.Equal(h.Clock.Add(-1000*time.Hour)) || row.CreatedBy != "operator:test" || row.SessionVersion != 1 ||
			row.PasswordHash != hashOfUU {
			t.Errorf("user %+v", row)
		}
		told, err := h.Profiles().Of(t.Context(), user.ID)
		if err != nil || told.Name != "Ada Lovelace" || told.Locale != "en-GB" || told.Birthdate != "1815-12-10" ||
			*told.Address != (profile.Address{Locality: "London", Country: "UK"}) {
			t.Errorf("profile %+v, %v", told, err)
		}
		emails, err := h.Emails().List(t.Context(), user.ID)
		if err != nil || len(emails) != 3 || emails[0].Address != "lady@ada.example" || !emails[0].IsPrimary ||
			emails[0].VerifiedAt == nil {
			t.Errorf("emails %+v, %v", emails, err)
		}
		for _, email := range emails {
			if (email.VerifiedAt == nil) != (email.Address == "old@ada.example") {
				t.Errorf("email %+v", email)
			}
		}
		phones, err := h.Phones().List(t.Context(), user.ID)
		if err != nil || len(phones) != 2 || phones[0].Number != "+442079460001" || !phones[0].IsPrimary ||
			phones[1].VerifiedAt != nil || phones[1].IsPrimary {
			t.Errorf("phones %+v, %v", phones, err)
		}
		roles, err := h.Roles().List(t.Context(), user.ID, false)
		if err != nil || len(roles) != 2 || roles[0].RoleName != "admin" || roles[0].AssignedBy != "operator:test" {
			t.Errorf("roles %+v, %v", roles, err)
		}
		lines := h.Lines(t, "user", "imported")
		if len(lines) != 1 || h.AuditTrailLength(t) != 1 ||
			lines[0].Actor != "operator:test" || lines[0].UserID.UUID != user.ID {
			t.Fatalf("audit trail: %+v", lines)
		}
		for _, want := range []string{"lady@ada.example", "+442079460001", "billing:read", "Lovelace", "bcrypt"} {
			if !strings.Contains(string(lines[0].NewValues), want) {
				t.Errorf("the audit trail lacks %q: %s", want, lines[0].NewValues)
			}
		}
		if strings.Contains(h.Dump(t, "audit_trail"), hashOfUU[:20]) {
			t.Error("the hash is in the audit trail")
		}
		for _, login := range []string{"ADA", "ada@ada.example", "lady@ada.example", "+44 20 7946 0001"} {
			h.Enter(t, login, "U*U", nil)
		}
		for _, login := range []string{"old@ada.example", "+44 20 7946 0000"} { // not verified
			if err := h.Try(t, login, "U*U"); !errors.Is(err, signin.ErrRefused) {
				t.Errorf("%s: %v", login, err)
			}
		}
	})
}

func TestImportedHashesBecomeArgon2id(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		n := 0
		for name, c := range passwordtest.ForeignHashes {
			n++
			username := fmt.Sprintf("user%d", n)
			user, err := h.Transfer.Import(t.Context(), transfer.Import{
				Username: username, PasswordHash: c.Hash, IsActive: true,
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := h.Try(t, username, "wrong password"); !errors.Is(err, signin.ErrRefused) ||
				h.Read(t, user.ID).PasswordHash != c.Hash {
				t.Errorf("%s, wrong password: %v", name, err)
			}
			h.Enter(t, username, c.Password, nil)
			if hash := h.Read(t, user.ID).PasswordHash; !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
				t.Errorf("%s: the hash is then %s", name, hash)
			}
			h.Enter(t, username, c.Password, nil)
		}
	})
}

func TestImportRefusesAndLeavesNothing(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		h.Alice(t)
		if _, err := h.Transfer.Import(
			t.Context(),
			transfer.Import{
				Username: "bob", IsActive: true, Phones: []transfer.ImportContact{{Value: "+4930123456", Verified: true}},
			},
		); err != nil {
			t.Fatal(err)
		}
		var before []string
		tables := []string{"users", "profiles", "emails", "phones", "user_roles", "audit_trail"}
		for _, table := range tables {
			before = append(before, h.Dump(t, table))
		}
		many := make([]transfer.ImportContact, 11)
		for name, c := range map[string]struct {
			change func(*transfer.Import)
			field  string
			want   error
		}{
			"no username":    {func(i *transfer.Import) { i.Username = "" }, "username", identifier.ErrUsernameInvalid},
			"a bad username": {func(i *transfer.Import) { i.Username = "a b" }, "username", identifier.ErrUsernameInvalid},
			"plain text": {func(i *transfer.Import) {
				i.PasswordHash = identitytest.AlicePassword
			}, "password_hash", password.ErrHashUnknown},
			"from the future": {func(i *transfer.Import) {
				i.CreatedAt = h.Clock.Add(time.Second)
			}, "created_at", transfer.ErrCreatedInvalid},
			"too old": {func(i *transfer.Import) {
				i.CreatedAt = time.Unix(-1, 0)
			}, "created_at", transfer.ErrCreatedInvalid},
			"a bad claim": {func(i *transfer.Import) {
				i.Profile.Zoneinfo = "Mars/Olympus"
			}, "zoneinfo", profile.ErrZoneinfoInvalid},
			"a bad e-mail": {func(i *transfer.Import) {
				i.Emails[1].Value = "nobody"
			}, "emails[1]", identifier.ErrEmailInvalid},
			"an e-mail twice": {func(i *transfer.Import) {
				i.Emails[1].Value = "LADY@ada.example"
			}, "emails[2]", identity.ErrEmailListed},
			"two primaries": {func(i *transfer.Import) {
				i.Emails[1].Primary = true
			}, "emails", transfer.ErrTooManyPrimaries},
			"primary, unverified": {func(i *transfer.Import) {
				i.Emails[2].Verified = false
			}, "emails[2]", transfer.ErrPrimaryUnverified},
			"many e-mails": {func(i *transfer.Import) { i.Emails = many }, "emails", identity.ErrTooManyEmails},
			"Alice's e-mail": {func(i *transfer.Import) {
				i.Emails[1].Value = "Alice@Example.com"
			}, "emails[1]", identity.ErrEmailTaken},
			"a bad phone": {func(i *transfer.Import) {
				i.Phones[0].Value = "030 1234"
			}, "phones[0]", identifier.ErrPhoneInvalid},
			"a phone twice": {func(i *transfer.Import) {
				i.Phones[1].Value = i.Phones[0].Value
			}, "phones[1]", identity.ErrPhoneListed},
			"phone, unverified": {func(i *transfer.Import) {
				i.Phones[0].Primary = true
			}, "phones[0]", transfer.ErrPrimaryUnverified},
			"many phones": {func(i *transfer.Import) { i.Phones = many }, "phones", identity.ErrTooManyPhones},
			"Bob's phone": {func(i *transfer.Import) {
				i.Phones[1].Value = "+49 30 123456"
			}, "phones[1]", identity.ErrPhoneTaken},
			"a bad role":   {func(i *transfer.Import) { i.Roles[0] = "two words" }, "roles[0]", groups.ErrRoleInvalid},
			"a role twice": {func(i *transfer.Import) { i.Roles[1] = "admin" }, "roles[1]", identity.ErrRoleHeld},
			"many roles": {func(i *transfer.Import) {
				i.Roles = make([]string, 101)
			}, "roles", transfer.ErrTooManyRoles},
		} {
			person := ada(h)
			c.change(&person)
			_, err := h.Transfer.Import(t.Context(), person)
			var faults refusal.FieldFaults
			if !errors.As(err, &faults) || !errors.Is(faults[c.field], c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		person := ada(h)
		person.Username = "ALICE"
		if _, err := h.Transfer.Import(t.Context(), person); !errors.Is(err, identity.ErrUsernameTaken) {
			t.Errorf("a taken username: %v", err)
		}
		person = ada(h)
		person.DryRun = true
		if _, err := h.Transfer.Import(t.Context(), person); err != nil {
			t.Errorf("dry run: %v", err)
		}
		for i, table := range tables {
			if h.Dump(t, table) != before[i] {
				t.Errorf("%s is not as it was", table)
			}
		}
		if _, err := h.Transfer.Import(t.Context(), ada(h)); err != nil {
			t.Errorf("the good one: %v", err)
		}
	})
}

func TestImportOfAnInactiveAccountLetsNobodyIn(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		user, err := h.Transfer.Import(t.Context(), transfer.Import{
			Username: "eve", PasswordHash: hashOfUU, Emails: []transfer.ImportContact{{Value: "eve@example.com"}},
		})
		if err != nil || user.ID == uuid.Nil {
			t.Fatal(err)
		}
		if err := h.Try(t, "eve", "U*U"); !errors.Is(err, signin.ErrRefused) {
			t.Errorf("sign in: %v", err)
		}
		if email, err := h.Emails().Primary(t.Context(), user.ID); err != nil || email == nil || email.VerifiedAt != nil {
			t.Errorf("primary: %+v, %v", email, err)
		}
	})
}
