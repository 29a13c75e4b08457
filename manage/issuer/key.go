// Package issuer is what may be done with this server as the issuer of tokens: see and rotate the keys that it signs
// with, and those that apps encrypt with. Begin with Store.
package issuer

import (
	"context"
	"time"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc/keys"
)

// Store is what it works with; set all of it.
type Store struct {
	*manage.Store

	Signing *keys.Keys
}

// What a key is for: RFC 7517, section 4.2.
const (
	UseSignature  = "sig" // of what Wicket issues
	UseEncryption = "enc" // of what apps send
)

// Key is a key of this server.
type Key struct {
	KID            string     `json:"kid"`
	Use            string     `json:"use" enum:"sig,enc" doc:"sig: it signs tokens; enc: apps encrypt requests with it."`
	Alg            string     `json:"alg"`
	SignsFrom      *time.Time `json:"signs_from,omitempty"`
	PublishedUntil *time.Time `json:"published_until" doc:"When apps need not know it any more; null while it is in use."`
	DecryptsUntil  *time.Time `json:"decrypts_until,omitempty" doc:"Of one that was replaced."`
}

func view(signing []keys.SigningKey, encryption []keys.EncryptionKey) []Key {
	views := make([]Key, 0, len(signing)+len(encryption))
	for i := range signing {
		key := &signing[i]
		views = append(views, Key{
			KID: key.KID, Use: UseSignature, Alg: key.Alg, SignsFrom: &key.SignsFrom, PublishedUntil: key.PublishedUntil,
		})
	}
	for _, key := range encryption {
		views = append(views, Key{KID: key.KID, Use: UseEncryption, Alg: key.Alg, DecryptsUntil: key.DecryptsUntil})
	}
	return views
}

// Keys lists the keys. It returns a *manage.ForbiddenError.
func (s *Store) Keys(ctx context.Context, by manage.Caller) ([]Key, error) {
	if err := by.Demand(manage.ReadKeys); err != nil {
		return nil, err
	}
	signing, err := s.Signing.List(ctx)
	if err != nil {
		return nil, err
	}
	encryption, err := s.Signing.ListEncryption(ctx)
	if err != nil {
		return nil, err
	}
	return view(signing, encryption), nil
}

// Rotate makes new keys, of these algorithms or of all that there are. Those that sign do so once every app has seen
// them; where a key has leaked, at once, and nothing that the old ones signed is trusted. It returns a
// *manage.ForbiddenError or a *manage.StepUpError.
func (s *Store) Rotate(ctx context.Context, by manage.Caller, leaked bool, algs []string) ([]Key, error) {
	if err := by.Demand(manage.RotateKeys); err != nil {
		return nil, err
	}
	signing, encryption, err := s.Signing.RotateNamed(ctx, leaked, algs...)
	if err != nil {
		return nil, err
	}
	return view(signing, encryption), nil
}
