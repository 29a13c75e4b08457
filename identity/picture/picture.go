// Package picture keeps the pictures that people upload of themselves. Begin with Read, which makes a small picture of
// whatever was sent, and with Store.
package picture

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/storage"
)

// Picture is a person's picture. It belongs to the person: with them it goes.
type Picture struct {
	bun.BaseModel `bun:"table:pictures,alias:picture"`

	UserID    uuid.UUID `bun:"user_id,pk,type:uuid"`
	Digest    string    `bun:"digest"`  // of Content: SHA-256, in hexadecimal digits
	Content   []byte    `bun:"content"` // a JPEG, as Read makes it
	CreatedAt time.Time `bun:"created_at"`
}

// MediaType is that of every picture.
const MediaType = "image/jpeg"

// Path is the path below which pictures are served, each by its digest.
const Path = "/pictures/"

// Store keeps pictures; set all fields.
type Store struct {
	Database *storage.Database
	Profiles profile.Store
	Issuer   string           // of this server: addresses of pictures begin with it
	Now      func() time.Time // UTC, to the microsecond
}

// Address is where a picture is served: what apps are told.
func (s Store) Address(digest string) string { return s.Issuer + Path + digest }

// PathOf is the path of a picture of ours that has that address, or "" where it is another.
func PathOf(issuer, address string) string {
	path, ok := strings.CutPrefix(address, issuer)
	if !ok || !strings.HasPrefix(path, Path) {
		return ""
	}
	return path
}

// Set makes content, which Read has made, the picture of a person: it replaces what their profile had. It returns
// storage.ErrNotFound where there is no such person.
func (s Store) Set(ctx context.Context, userID uuid.UUID, content []byte) error {
	now, sum := s.Now(), sha256.Sum256(content)
	picture := &Picture{UserID: userID, Digest: hex.EncodeToString(sum[:]), Content: content, CreatedAt: now}
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.tell(ctx, tx, now, userID, func(string) string { return s.Address(picture.Digest) }); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(picture).
			On("CONFLICT (user_id) DO UPDATE").
			Set("digest = EXCLUDED.digest").Set("content = EXCLUDED.content").Set("created_at = EXCLUDED.created_at").
			Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("picture of %s: %w", userID, err)
	}
	return nil
}

// Remove takes the picture of a person away that they have uploaded, from their profile too. Where they have none,
// nothing happens.
func (s Store) Remove(ctx context.Context, userID uuid.UUID) error {
	now := s.Now()
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		err := s.tell(ctx, tx, now, userID, func(before string) string {
			if PathOf(s.Issuer, before) != "" {
				return ""
			}
			return before
		})
		if err != nil {
			return err
		}
		_, err = tx.NewDelete().Model((*Picture)(nil)).Where("user_id = ?", userID).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove the picture of %s: %w", userID, err)
	}
	return nil
}

// tell changes the address of the picture in a profile.
func (s Store) tell(
	ctx context.Context, tx bun.Tx, now time.Time, userID uuid.UUID, address func(before string) string,
) error {
	return s.Profiles.Change(ctx, tx, now, userID, func(before *profile.Profile) profile.Profile {
		told := *before
		told.Picture = address(before.Picture)
		return told
	})
}

// Of returns the picture that a person has uploaded, or nil.
func (s Store) Of(ctx context.Context, userID uuid.UUID) (*Picture, error) {
	return s.one(ctx, "user_id = ?", userID)
}

// ByDigest returns a picture with that digest, or nil.
func (s Store) ByDigest(ctx context.Context, digest string) (*Picture, error) {
	return s.one(ctx, "digest = ?", digest)
}

func (s Store) one(ctx context.Context, where string, is any) (*Picture, error) {
	picture := new(Picture)
	err := s.Database.Reader().NewSelect().Model(picture).Where(where, is).Limit(1).Scan(ctx)
	if errors.Is(storage.NotFound(err), storage.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	return picture, nil
}
