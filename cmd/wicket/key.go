package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/seal"
)

type keyCommands struct {
	List   keyList   `cmd:"" help:"List the signing keys, and those that apps encrypt with."`
	Rotate keyRotate `cmd:"" help:"Make new keys. Those that sign are published now and sign in fifteen minutes, when every app has seen them; those that apps encrypt with are published instead of the ones before, which decrypt for a week more. Running servers take them over by themselves."`
	Reseal keyReseal `cmd:"" help:"Seal everything anew with the first key of WICKET_SECRET, so that the others can be left out. Servers may run meanwhile."`
}

// keyView is a key as the commands print it.
type keyView struct {
	KID            string     `json:"kid"`
	Use            string     `json:"use"` // sig or enc: RFC 7517, section 4.2
	Alg            string     `json:"alg"`
	SignsFrom      *time.Time `json:"signs_from,omitempty"`
	PublishedUntil *time.Time `json:"published_until"`
	DecryptsUntil  *time.Time `json:"decrypts_until,omitempty"`
}

func printKeys(out printer, signing []keys.SigningKey, encryption []keys.EncryptionKey) error {
	views, rows := make([]keyView, len(signing)), make([][]any, len(signing))
	for i, key := range signing {
		views[i] = keyView{key.KID, "sig", key.Alg, &key.SignsFrom, key.PublishedUntil, nil}
		state := "signs"
		if now := identity.Clock(); key.SignsFrom.After(now) {
			state = "signs from " + key.SignsFrom.Format(time.RFC3339)
		} else if key.PublishedUntil != nil && key.PublishedUntil.Before(now) {
			state = "retired"
		} else if key.PublishedUntil != nil {
			state = "published until " + key.PublishedUntil.Format(time.RFC3339)
		}
		rows[i] = []any{key.KID, "sig", key.Alg, state}
	}
	for _, key := range encryption {
		state := "published"
		if key.DecryptsUntil != nil {
			state = "decrypts until " + key.DecryptsUntil.Format(time.RFC3339)
		}
		views = append(views, keyView{key.KID, "enc", key.Alg, nil, nil, key.DecryptsUntil})
		rows = append(rows, []any{key.KID, "enc", key.Alg, state})
	}
	return out.print(views, func() { out.table([]any{"KID", "USE", "ALG", "STATE"}, rows) })
}

type keyList struct{}

// Run lists the keys.
func (keyList) Run(ctx operator, s *server.Server, out printer) error {
	signing, err := s.Keys.List(ctx)
	if err != nil {
		return err
	}
	encryption, err := s.Keys.ListEncryption(ctx)
	if err != nil {
		return err
	}
	return printKeys(out, signing, encryption)
}

type keyRotate struct {
	Alg    []string `sep:"none" enum:"RS256,ES256,EdDSA,RSA-OAEP,RSA-OAEP-256,ECDH-ES,ECDH-ES+A128KW,ECDH-ES+A192KW,ECDH-ES+A256KW" help:"Only the key of this algorithm, as 'wicket key list' has it: RS256, ES256 or EdDSA of those that sign, RSA-OAEP-256 for example of those that apps encrypt with. Repeat it for several. Left out, all that there are."`
	Leaked bool     `help:"A key is in the wrong hands: sign with the new ones in five seconds, when every running server knows them, and from two seconds later on trust nothing that the old ones signed; decrypt with the old ones for ten minutes more. People stay signed in; apps must fetch new tokens."`
}

// Run rotates the keys.
func (c keyRotate) Run(ctx operator, s *server.Server, out printer) error {
	if err := s.Keys.Load(ctx); err != nil {
		return err
	}
	signing, encryption, err := s.Keys.RotateNamed(ctx, c.Leaked, c.Alg...)
	if err != nil {
		return err
	}
	return printKeys(out, signing, encryption)
}

type keyReseal struct{}

// Run seals everything anew: what is sealed is known to the packages below.
func (keyReseal) Run(ctx operator, s *server.Server, out printer) error {
	renewed, recorded, rows := make(map[string]int64), audit.Values{}, [][]any{}
	var faults []error
	for _, at := range slices.Concat(
		keys.SealedColumns, identity.SealedColumns, factor.SealedColumns, federation.SealedColumns,
	) {
		n, err := seal.Reseal(ctx, s.Database, s.Keys.Seal, at)
		faults = append(faults, err)
		renewed[at.Table], recorded[at.Table] = n, n
		rows = append(rows, []any{at.Table, n})
	}
	faults = append(faults, s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		change := audit.Change{Entity: "master_key", EntityID: "first", Action: "resealed", New: recorded}
		return audit.Record(ctx, tx, s.Clock.Now(), change)
	}))
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return out.print(renewed, func() { out.table([]any{"TABLE", "SEALED ANEW"}, rows) })
}
