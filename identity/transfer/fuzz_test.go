package transfer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Whoever another system knew is taken in with all that was said of them, or refused by the fields that are not good,
// and then nothing of them is there: no person is a fault. Who is there already stays as they are, and nobody gets
// their address.
func FuzzImport(f *testing.F) {
	h := identitytest.New(f, storagetest.Open(f, storage.SQLite))
	h.Alice(f)
	const told = "Ada Lovelace\nen-GB\nEurope/London\n1815-12-10\nhttps://ada.example/"
	f.Add("ada", hashOfUU, told, "ada@ada.example", "+44 20 7946 0001", "admin", int64(1700000000), uint8(255))
	f.Add("ada", "", "", "", "", "", int64(0), uint8(0))
	for _, name := range []string{
		"", "Alice", "ALICE", "alice@example.com", "+442079460001", "root", "..", "--help", "a\x00", "\xff", "а", "İ", strings.Repeat("a", 300),
	} {
		f.Add(name, hashOfUU, told, "ada@ada.example", "+442079460001", "admin", int64(1700000000), uint8(255))
	}
	for _, address := range []string{
		"alice@example.com", "Alice@EXAMPLE.com", "ada", "ada@", "a\x00@ada.example", "\xff@ada.example", "ada@ada.example,x@ada.example", "a@xn--80ak6aa92e.com", "a@[127.0.0.1]", "a@a\nb",
	} {
		f.Add("ada", "", told, address, "+1", "a\x00", int64(-1), uint8(1))
	}
	for _, other := range []string{"\x00", "\xff\n\xff", "<b>\n<i>\nx\n0000-00-00\njavascript:alert(1)", strings.Repeat("n", 3000)} {
		f.Add("ada", other, other, "", other, other, int64(1)<<62, uint8(3))
	}
	f.Fuzz(func(t *testing.T, name, hash, told, address, number, role string, created int64, flags uint8) {
		fields := append(strings.Split(told, "\n"), "", "", "", "", "")
		at := time.Unix(created, 0)
		if created == 0 {
			at = time.Time{}
		}
		person := transfer.Import{
			Username: name, PasswordHash: hash, IsActive: flags&1 != 0, CreatedAt: at, DryRun: flags&128 == 0,
			Profile: profile.Profile{
				Name: fields[0], Locale: fields[1], Zoneinfo: fields[2], Birthdate: fields[3], Website: fields[4],
				Address: &profile.Address{Locality: fields[0], Country: fields[1]},
			},
		}
		if address != "" {
			person.Emails = []transfer.ImportContact{{Value: address, Verified: flags&2 != 0, Primary: flags&4 != 0}}
		}
		if number != "" {
			person.Phones = []transfer.ImportContact{{Value: number, Verified: flags&8 != 0, Primary: flags&16 != 0}}
		}
		if role != "" {
			person.Roles = strings.Split(role, ",")
		}
		before := h.AuditTrailLength(t)
		user, err := h.Transfer.Import(t.Context(), person)
		var faults refusal.FieldFaults
		switch {
		case errors.As(err, &faults) && len(faults) > 0, errors.Is(err, identity.ErrUsernameTaken):
			if h.AuditTrailLength(t) != before {
				t.Fatalf("%+v is refused with %v, and something of them is there", person, err)
			}
			return
		case err != nil:
			t.Fatalf("%+v: a fault: %v", person, err)
		}
		if person.DryRun {
			if h.AuditTrailLength(t) != before {
				t.Fatalf("%+v is there after a dry run", person)
			}
			return
		}
		defer func() {
			forget := func(ctx context.Context, tx bun.Tx) error {
				_, err := tx.NewDelete().Model((*identity.User)(nil)).Where("id = ?", user.ID).Exec(ctx)
				return err
			}
			if err := h.Database.Write(context.WithoutCancel(t.Context()), forget); err != nil {
				t.Fatal(err)
			}
		}()
		checkImported(t, h, person, user)
	})
}

// checkImported fails where a person is there otherwise than they were said to be.
func checkImported(t *testing.T, h *identitytest.Stack, person transfer.Import, user *identity.User) {
	t.Helper()
	row := h.Read(t, user.ID)
	if row.Username != person.Username || row.PasswordHash != person.PasswordHash || row.IsActive != person.IsActive {
		t.Fatalf("%+v is %+v", person, row)
	}
	kept, err := h.Profiles().Of(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range kept.Fields() {
		if !utf8.ValidString(*field.Value) || strings.Contains(*field.Value, "\x00") || len(*field.Value) > 5000 {
			t.Fatalf("%s is %q", field.Name, *field.Value)
		}
	}
	emails, err := h.Emails().List(t.Context(), user.ID)
	if err != nil || len(emails) != len(person.Emails) {
		t.Fatalf("%+v has %+v, %v", person, emails, err)
	}
	for _, email := range emails {
		key, err := identifier.EmailKey(email.Address)
		if err != nil || key == "alice@example.com" && email.VerifiedAt != nil ||
			(email.VerifiedAt != nil) != person.Emails[0].Verified {
			t.Fatalf("%+v has %+v, %v", person, email, err)
		}
	}
	phones, err := h.Phones().List(t.Context(), user.ID)
	if err != nil || len(phones) != len(person.Phones) {
		t.Fatalf("%+v has %+v, %v", person, phones, err)
	}
	roles, err := h.Roles().List(t.Context(), user.ID, false)
	if err != nil || len(roles) != len(person.Roles) {
		t.Fatalf("%+v has %+v, %v", person, roles, err)
	}
	found, err := h.Users().ByLogin(t.Context(), "alice@example.com")
	if err != nil || found.Username != "Alice" {
		t.Fatalf("after %+v alice is %+v, %v", person, found, err)
	}
}
