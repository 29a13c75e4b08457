// Package factor keeps what people sign in with besides a password: passkeys, security keys, authenticator apps and
// backup codes. Begin with Store.
package factor

import (
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/seal"
)

// Store is what the factors work with; set both fields.
type Store struct {
	*identity.Store

	RelyingParty *RelyingParty // nil: no keys, for the issuer is an address and no name
}

// The kinds of factors: each holds the verbs and queries of one table.
type (
	Passkeys     struct{ *Store }
	HardwareKeys struct{ *Store }
	TOTPs        struct{ *Store }
	BackupCodes  struct{ *Store }
)

// Passkeys sign their owners in by themselves.
func (s *Store) Passkeys() Passkeys { return Passkeys{s} }

// HardwareKeys are touched as a second step.
func (s *Store) HardwareKeys() HardwareKeys { return HardwareKeys{s} }

// TOTPs are authenticator apps.
func (s *Store) TOTPs() TOTPs { return TOTPs{s} }

// BackupCodes stand in for a second factor that was lost.
func (s *Store) BackupCodes() BackupCodes { return BackupCodes{s} }

// SealedColumns are where this package keeps what the master key has sealed.
var SealedColumns = []seal.SealedColumn{{Table: "totps", Key: "id", Column: "secret", Purpose: SealForTOTP}}
