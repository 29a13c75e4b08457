package identity

import (
	"time"

	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
)

// Store is what the identity store works with; set all of its fields. Begin with one of its nouns: Users, Emails,
// Sessions.
type Store struct {
	Database *storage.Database
	Cache    cache.Cache
	Seal     *seal.Seal
	Jobs     *storage.Jobs
	Listener *SessionListener // nil: nobody is told of sessions that end
	Hasher   *password.Hasher

	Now func() time.Time // UTC, to the microsecond: see Clock

	TwoFactors  TwoFactorRule
	Mails       bool // whether e-mails can be sent: without them no address can be verified
	Texts       bool // whether text messages can be sent: without them no phone can be verified
	TextRule    TextRule
	SessionIdle time.Duration // a session ends this long after it was last seen
}

// The nouns of the store: each holds the verbs and queries of one table.
type (
	Users            struct{ *Store }
	Emails           struct{ *Store }
	Phones           struct{ *Store }
	Sessions         struct{ *Store }
	Roles            struct{ *Store }
	ExternalAccounts struct{ *Store }
)

// Users are the accounts themselves.
func (s *Store) Users() Users { return Users{s} }

// Profiles are what people tell of themselves.
func (s *Store) Profiles() profile.Store { return profile.Store{Database: s.Database, Now: s.Now} }

// Groups are the groups of people.
func (s *Store) Groups() groups.Store { return groups.Store{Database: s.Database, Now: s.Now} }

// Emails are people's e-mail addresses.
func (s *Store) Emails() Emails { return Emails{s} }

// Phones are people's phone numbers.
func (s *Store) Phones() Phones { return Phones{s} }

// Sessions are people signed in on devices.
func (s *Store) Sessions() Sessions { return Sessions{s} }

// Roles are what people hold.
func (s *Store) Roles() Roles { return Roles{s} }

// ExternalAccounts are the accounts elsewhere by which people sign in.
func (s *Store) ExternalAccounts() ExternalAccounts { return ExternalAccounts{s} }

// Clock is the wall clock as rows hold it: UTC, to the microsecond.
func Clock() time.Time {
	return time.Now().UTC().Truncate(time.Microsecond)
}

// SealedColumns are where this package keeps what the master key has sealed. Links and codes under way are not among
// them: they have lapsed within days.
var SealedColumns = []seal.SealedColumn{
	{Table: "external_accounts", Key: "id", Column: "sealed_tokens", Purpose: SealForTokens},
}
