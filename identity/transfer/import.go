package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Import is a person as another system knew them. All but the username may be empty.
type Import struct {
	Username     string
	PasswordHash string // of a kind that password.ReadHash reads; the next sign-in makes an argon2id hash of it
	IsActive     bool
	CreatedAt    time.Time       // when the account was made there; zero: now
	Profile      profile.Profile // its fields; whose it is and its times are set here
	Emails       []ImportContact
	Phones       []ImportContact
	Roles        []string

	// DryRun does everything, asks the database too, and keeps nothing.
	DryRun bool
}

// ImportContact is an e-mail address or a phone number of a person who is imported.
type ImportContact struct {
	Value    string
	Verified bool
	Primary  bool
}

// What can be wrong with a person who is imported, besides what the rules for each field say.
var (
	ErrTooManyPrimaries  = errors.New("only one of them can be primary")
	ErrPrimaryUnverified = errors.New("the primary one must be verified")
	ErrTooManyRoles      = errors.New("a hundred roles are enough")
	ErrCreatedInvalid    = errors.New("an account was made between 1970 and now")
)

const maxImportedRoles = 100 // of one person

var errDryRun = errors.New("dry run")

// importRows are the rows that an Import becomes once it was found good.
type importRows struct {
	user    *identity.User
	profile *profile.Profile
	emails  []*identity.Email
	phones  []*identity.Phone
	roles   []*identity.Role
	scheme  string // of the password hash
}

// Import takes in one person with everything that belongs to them, or nothing: one transaction, with the line
// "imported" in the audit trail. Nobody is written to. It returns ErrUsernameTaken where somebody has the name, who
// stays as they are; FieldFaults where something is not good; any other error is a fault, of which the person is not
// the cause.
func (s *Store) Import(ctx context.Context, person Import) (*identity.User, error) {
	now := s.Now()
	a, err := person.read(now, audit.ActorOf(ctx).Name)
	if err != nil {
		return nil, err
	}
	// Asked beforehand, so that running a file again costs reads only.
	taken, err := s.Users().IsTaken(ctx, person.Username)
	if err != nil {
		return nil, fmt.Errorf("import user: %w", err)
	}
	if taken {
		return nil, identity.ErrUsernameTaken
	}
	err = s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.insert(ctx, tx, now, a); err != nil {
			return err
		}
		if person.DryRun {
			return errDryRun
		}
		return nil
	})
	var faults refusal.FieldFaults
	switch {
	case err == nil, errors.Is(err, errDryRun):
		return a.user, nil
	case errors.Is(err, identity.ErrUsernameTaken):
		return nil, identity.ErrUsernameTaken
	case errors.As(err, &faults):
		return nil, faults
	case storage.Violates(err, "address"): // somebody verified it in this moment
		return nil, refusal.FieldFaults{"emails": identity.ErrEmailTaken}
	case storage.Violates(err, "number"):
		return nil, refusal.FieldFaults{"phones": identity.ErrPhoneTaken}
	}
	return nil, fmt.Errorf("import user: %w", err)
}

// read makes rows of a person, or says what is wrong with which field.
func (i Import) read(now time.Time, actor string) (*importRows, error) {
	faults := make(refusal.FieldFaults)
	key, err := identifier.NewUsernameKey(i.Username)
	faults.Add("username", err)
	a := &importRows{user: &identity.User{
		ID: storage.NewID(), Username: i.Username, UsernameKey: key, PasswordHash: i.PasswordHash, IsActive: i.IsActive,
		SessionVersion: 1,
		CreatedAt:      now, CreatedBy: actor, ModifiedAt: now, ModifiedBy: actor,
	}}
	if i.PasswordHash != "" {
		if stored, err := password.ReadHash(i.PasswordHash); err != nil {
			faults.Add("password_hash", err)
		} else {
			a.scheme = stored.Scheme
		}
	}
	if !i.CreatedAt.IsZero() {
		a.user.CreatedAt = i.CreatedAt.UTC().Truncate(time.Microsecond)
		if a.user.CreatedAt.After(now) || a.user.CreatedAt.Before(time.Unix(0, 0)) {
			faults.Add("created_at", ErrCreatedInvalid)
		}
	}
	a.readProfile(i.Profile, now, faults)
	a.readEmails(i.Emails, now, faults)
	a.readPhones(i.Phones, now, faults)
	if len(i.Roles) > maxImportedRoles {
		faults.Add("roles", ErrTooManyRoles)
	}
	for n, name := range i.Roles {
		field := fmt.Sprintf("roles[%d]", n)
		if !groups.RoleName.MatchString(name) {
			faults.Add(field, groups.ErrRoleInvalid)
		} else if slices.Contains(i.Roles[:n], name) {
			faults.Add(field, identity.ErrRoleHeld)
		}
		a.roles = append(a.roles, &identity.Role{
			ID: storage.NewID(), UserID: a.user.ID, RoleName: name, AssignedAt: now, AssignedBy: actor, IsActive: true,
		})
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return a, nil
}

func (a *importRows) readProfile(told profile.Profile, now time.Time, faults refusal.FieldFaults) {
	if told.Address != nil { // the caller's stays as it is
		address := *told.Address
		told.Address = &address
	}
	var wrong refusal.FieldFaults
	if errors.As(told.Clean(now), &wrong) {
		for name, err := range wrong {
			faults.Add(name, err)
		}
	}
	if *told.Address == (profile.Address{}) {
		told.Address = nil
	}
	told.UserID, told.CreatedAt, told.ModifiedAt = a.user.ID, now, now
	a.profile = &told
}

func (a *importRows) readEmails(contacts []ImportContact, now time.Time, faults refusal.FieldFaults) {
	if len(contacts) > identity.MaxEmails {
		faults.Add("emails", identity.ErrTooManyEmails)
		return
	}
	primary, verified, err := choosePrimary(contacts)
	faults.Add("emails", err)
	if primary < 0 && !verified && len(contacts) > 0 {
		primary = 0 // as of somebody who registers
	}
	for n, contact := range contacts {
		field := fmt.Sprintf("emails[%d]", n)
		email, err := identity.NewEmail(a.user.ID, contact.Value, contact.Verified, now)
		if err != nil {
			faults.Add(field, err)
			continue
		}
		if slices.ContainsFunc(a.emails, func(other *identity.Email) bool { return other.AddressKey == email.AddressKey }) {
			faults.Add(field, identity.ErrEmailListed)
		}
		email.IsPrimary = n == primary
		if email.IsPrimary && !contact.Verified && verified {
			faults.Add(field, ErrPrimaryUnverified)
		}
		a.emails = append(a.emails, email)
	}
}

func (a *importRows) readPhones(contacts []ImportContact, now time.Time, faults refusal.FieldFaults) {
	if len(contacts) > identity.MaxPhones {
		faults.Add("phones", identity.ErrTooManyPhones)
		return
	}
	primary, _, err := choosePrimary(contacts)
	faults.Add("phones", err)
	for n, contact := range contacts {
		field := fmt.Sprintf("phones[%d]", n)
		number, err := identifier.PhoneNumber(contact.Value)
		if err != nil {
			faults.Add(field, err)
			continue
		}
		if slices.ContainsFunc(a.phones, func(other *identity.Phone) bool { return other.Number == number }) {
			faults.Add(field, identity.ErrPhoneListed)
		}
		phone := &identity.Phone{
			ID: storage.NewID(), UserID: a.user.ID, Number: number, IsPrimary: n == primary, CreatedAt: now, ModifiedAt: now,
		}
		if contact.Verified {
			phone.VerifiedAt = &now
		} else if phone.IsPrimary {
			faults.Add(field, ErrPrimaryUnverified)
		}
		a.phones = append(a.phones, phone)
	}
}

// choosePrimary returns the place of the primary one: the one that says so, else the first that is verified, else -1;
// and whether any is verified.
func choosePrimary(contacts []ImportContact) (primary int, verified bool, err error) {
	primary = slices.IndexFunc(contacts, func(c ImportContact) bool { return c.Primary })
	first := slices.IndexFunc(contacts, func(c ImportContact) bool { return c.Verified })
	if primary < 0 {
		return first, first >= 0, nil
	}
	if slices.ContainsFunc(contacts[primary+1:], func(c ImportContact) bool { return c.Primary }) {
		err = ErrTooManyPrimaries
	}
	return primary, first >= 0, err
}

// insert writes a person's rows and records them. It returns ErrUsernameTaken, or FieldFaults where somebody else
// has verified an address or a number; then the transaction must not be kept.
func (s *Store) insert(ctx context.Context, tx bun.Tx, now time.Time, a *importRows) error {
	if err := identity.InsertAccount(ctx, tx, a.user); err != nil { // first: who runs the same file beside us waits here
		return err
	}
	if err := s.refuseTaken(ctx, tx, a); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(a.profile).Exec(ctx); err != nil {
		return err
	}
	if len(a.emails) > 0 {
		if _, err := tx.NewInsert().Model(&a.emails).Exec(ctx); err != nil {
			return err
		}
	}
	if len(a.phones) > 0 {
		if _, err := tx.NewInsert().Model(&a.phones).Exec(ctx); err != nil {
			return err
		}
	}
	if len(a.roles) > 0 {
		if _, err := tx.NewInsert().Model(&a.roles).Returning("NULL").Exec(ctx); err != nil {
			return err
		}
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "user", EntityID: a.user.ID.String(), Action: "imported", UserID: a.user.ID, New: a.values(),
	})
}

// refuseTaken returns FieldFaults for every address and number that somebody else has verified. A violation would end
// the transaction at the first of them.
func (s *Store) refuseTaken(ctx context.Context, tx bun.Tx, a *importRows) error {
	faults := make(refusal.FieldFaults)
	for n, email := range a.emails {
		if email.VerifiedAt == nil {
			continue
		}
		taken, err := tx.NewSelect().Model((*identity.Email)(nil)).
			Where("address_key = ? AND verified_at IS NOT NULL", email.AddressKey).Exists(ctx)
		if err != nil {
			return err
		}
		if taken {
			faults.Add(fmt.Sprintf("emails[%d]", n), identity.ErrEmailTaken)
		}
	}
	var numbers []string
	for _, phone := range a.phones {
		if phone.VerifiedAt != nil {
			numbers = append(numbers, phone.Number)
		}
	}
	slices.Sort(numbers) // two who lock the same ones do so in the same order
	for _, number := range numbers {
		if err := s.Database.Lock(ctx, tx, "phone "+number); err != nil { // Verify asks beforehand too
			return err
		}
		taken, err := tx.NewSelect().Model((*identity.Phone)(nil)).
			Where("number = ? AND verified_at IS NOT NULL", number).Exists(ctx)
		if err != nil {
			return err
		}
		if taken {
			n := slices.IndexFunc(a.phones, func(phone *identity.Phone) bool { return phone.Number == number })
			faults.Add(fmt.Sprintf("phones[%d]", n), identity.ErrPhoneTaken)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// values is what the audit trail says of a person who was imported: everything but the hash.
func (a *importRows) values() audit.Values {
	values := audit.Values{
		"username": a.user.Username, "is_active": a.user.IsActive, "created_at": a.user.CreatedAt,
		"has_password": a.user.PasswordHash != "",
	}
	if a.scheme != "" {
		values["password_scheme"] = a.scheme
	}
	profile := audit.Values{}
	told := *a.profile // Fields makes an address where there is none
	for _, field := range told.Fields() {
		if *field.Value != "" {
			profile[field.Name] = *field.Value
		}
	}
	if len(profile) > 0 {
		values["profile"] = profile
	}
	var emails, phones []audit.Values
	for _, email := range a.emails {
		emails = append(emails, audit.Values{
			"address": email.Address, "verified": email.VerifiedAt != nil, "is_primary": email.IsPrimary,
		})
	}
	for _, phone := range a.phones {
		phones = append(phones, audit.Values{
			"number": phone.Number, "verified": phone.VerifiedAt != nil, "is_primary": phone.IsPrimary,
		})
	}
	var roles []string
	for _, role := range a.roles {
		roles = append(roles, role.RoleName)
	}
	for name, list := range map[string]any{"emails": emails, "phones": phones, "roles": roles} {
		values[name] = list
	}
	return values
}
