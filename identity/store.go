package identity

import (
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/storage/seal"
)

// Store is the identity store. Its fields are what it leans on; set all of them.
type Store struct {
	Database *storage.Database
	Memory   cache.Cache
	Seal     *seal.Seal
	Jobs     *storage.Jobs
	Hasher   *Hasher

	RelyingParty *RelyingParty // nil: no keys, for the issuer is an address and no name

	Now func() time.Time // UTC, to the microsecond: see Clock

	Texts bool // whether text messages can be sent: without them no phone can be verified

	SessionLifetime time.Duration // a session ends this long after it began, whatever happens
	SessionIdle     time.Duration // and this long after it was last seen
	SignInDelay     time.Duration // what the fourth wrong password for a name costs; each further one twice as much
	RefusalTakes    time.Duration // a sign-in that is refused is answered no sooner than this
	MaxFailures     int64         // wrong passwords in a row after which an account is locked
	LockDuration    time.Duration // for this long
	AttemptsKept    time.Duration // how long attempts to sign in are kept; 0: for ever
}

// Clock is the wall clock as rows hold it: UTC, to the microsecond.
func Clock() time.Time {
	return time.Now().UTC().Truncate(time.Microsecond)
}

// SealedColumns are where this room keeps what the master key has sealed. Links and codes under way are not among them: they
// have lapsed within days.
var SealedColumns = []seal.SealedColumn{
	{Table: "totps", Key: "id", Column: "secret", Purpose: sealForTOTP},
	{Table: "external_accounts", Key: "id", Column: "sealed_tokens", Purpose: sealForTokens},
}
