package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/manage/issuer"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/seal"
)

type keyCommands struct {
	List   keyList   `cmd:"" help:"List the signing keys."`
	Rotate keyRotate `cmd:"" help:"Make new signing keys. They are published now and sign in fifteen minutes, when every app has seen them; running servers take them over by themselves."`
	Reseal keyReseal `cmd:"" help:"Seal everything anew with the first key of WICKET_SECRET, so that the others can be left out. Servers may run meanwhile."`
}

func printKeys(out printer.Printer, keys []issuer.Key) error {
	rows := make([][]any, len(keys))
	for i, key := range keys {
		rows[i] = []any{key.KID, key.Use, key.Alg, stateOf(key, identity.Clock())}
	}
	return out.Print(keys, func() { out.Table([]any{"KID", "USE", "ALG", "STATE"}, rows) })
}

// stateOf says what a key does at that time.
func stateOf(key issuer.Key, now time.Time) string {
	switch {
	case key.DecryptsUntil != nil:
		return "decrypts until " + key.DecryptsUntil.Format(time.RFC3339)
	case key.Use == issuer.UseEncryption:
		return "published"
	case key.SignsFrom.After(now):
		return "signs from " + key.SignsFrom.Format(time.RFC3339)
	case key.PublishedUntil != nil && key.PublishedUntil.Before(now):
		return "retired"
	case key.PublishedUntil != nil:
		return "published until " + key.PublishedUntil.Format(time.RFC3339)
	}
	return "signs"
}

type keyList struct{}

// Run lists the keys.
func (keyList) Run(ctx operator, s *server.Server, out printer.Printer) error {
	keys, err := s.Signing.Keys(ctx, by(ctx))
	if err != nil {
		return err
	}
	return printKeys(out, keys)
}

type keyRotate struct {
	Alg    []string `sep:"none" enum:"RS256,ES256,EdDSA,RSA-OAEP,RSA-OAEP-256,ECDH-ES,ECDH-ES+A128KW,ECDH-ES+A192KW,ECDH-ES+A256KW" help:"Only the key of this algorithm, as 'wicket key list' has it: RS256, ES256 or EdDSA of those that sign, RSA-OAEP-256 for example of those that apps encrypt with. Repeat it for several. Left out, all that there are."`
	Leaked bool     `help:"A key is in the wrong hands: sign with the new ones in five seconds, when every running server knows them, and from two seconds later on trust nothing that the old ones signed; decrypt with the old ones for ten minutes more. People stay signed in; apps must fetch new tokens."`
}

// Run rotates the keys.
func (c keyRotate) Run(ctx operator, s *server.Server, out printer.Printer) error {
	if err := s.Keys.Load(ctx); err != nil {
		return err
	}
	keys, err := s.Signing.Rotate(ctx, by(ctx), c.Leaked, c.Alg)
	if err != nil {
		return err
	}
	return printKeys(out, keys)
}

type keyReseal struct{}

// Run seals everything anew: what is sealed is known to the packages below.
func (keyReseal) Run(ctx operator, s *server.Server, out printer.Printer) error {
	renewed, recorded, rows := make(map[string]int64), audit.Values{}, [][]any{}
	var faults []error
	for _, at := range slices.Concat(
		keys.SealedColumns, identity.SealedColumns, factor.SealedColumns, federation.SealedColumns,
		webhooks.SealedColumns,
	) {
		n, err := seal.Reseal(ctx, s.Database, s.Keys.Seal, at)
		faults = append(faults, err)
		renewed[at.Table] += n
		recorded[at.Table] = renewed[at.Table]
		rows = append(rows, []any{at.Table, n})
	}
	faults = append(faults, s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		change := audit.Change{Entity: "master_key", EntityID: "first", Action: "resealed", New: recorded}
		return audit.Record(ctx, tx, s.Clock.Now(), change)
	}))
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return out.Print(renewed, func() { out.Table([]any{"TABLE", "SEALED ANEW"}, rows) })
}
