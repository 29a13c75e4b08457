package manage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
)

// Repeatable is a request that may come again with the same Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header): it is carried out once, and answered the same each time.
type Repeatable struct {
	bun.BaseModel `bun:"table:idempotency_keys,alias:idempotency_key"`

	Caller       string    `bun:"caller,pk"`
	Key          string    `bun:"key,pk"`
	Request      []byte    `bun:"request"`         // the digest of what was asked for
	Status       int64     `bun:"status,nullzero"` // 0: it is being answered
	SealedAnswer []byte    `bun:"sealed_answer"`
	BegunAt      time.Time `bun:"begun_at"`
	EndsAt       time.Time `bun:"ends_at"`
}

// Answer is an answer that is kept: its status, its headers and its body.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
}

const (
	repeatableFor = 24 * time.Hour
	// answeredWithin is how long a request may be under way: longer than any takes.
	answeredWithin   = time.Minute
	sealForAnswers   = "idempotent answer"
	maxRepeatableKey = 200
)

// What can be wrong with a request that may come again.
var (
	ErrRepeatableKey   = refusal.New("idempotency.key", "an Idempotency-Key has 1 to 200 visible characters")
	ErrRepeatableOther = refusal.New(
		"idempotency.reused",
		"this Idempotency-Key belongs to another request; choose a new one",
	)
	ErrRepeatableBusy = refusal.New(
		"idempotency.busy",
		"the request with this Idempotency-Key is being answered; try again in a moment",
	)
)

// Begin notes that a caller's request is being carried out, or returns how it was answered before. It returns
// ErrRepeatableKey, ErrRepeatableOther or ErrRepeatableBusy.
func (s *Store) Begin(ctx context.Context, by Caller, key string, request []byte) (*Answer, error) {
	if err := checkRepeatableKey(key); err != nil {
		return nil, err
	}
	now := s.Now()
	row := &Repeatable{Caller: by.Actor(), Key: key, Request: request, BegunAt: now, EndsAt: now.Add(repeatableFor)}
	before, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (*Repeatable, error) {
		// One that has lapsed, or whose server died before it answered, makes room.
		result, err := tx.NewInsert().Model(row).On("CONFLICT (caller, key) DO UPDATE").
			Set("request = EXCLUDED.request, status = NULL, sealed_answer = NULL").
			Set("begun_at = EXCLUDED.begun_at, ends_at = EXCLUDED.ends_at").
			Where("idempotency_key.ends_at <= ? OR idempotency_key.status IS NULL AND idempotency_key.begun_at <= ?",
				now, now.Add(-answeredWithin)).
			Returning("NULL").Exec(ctx)
		if err := storage.OneRow(result, err); !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		before := new(Repeatable)
		return before, tx.NewSelect().Model(before).Where("caller = ? AND key = ?", row.Caller, key).Scan(ctx)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("idempotency key: %w", err)
	case before == nil:
		return nil, nil
	case !bytes.Equal(before.Request, request):
		return nil, ErrRepeatableOther
	case before.Status == 0:
		return nil, ErrRepeatableBusy
	}
	encoded, err := s.Seal.Open(sealForAnswers, before.SealedAnswer)
	if err != nil {
		return nil, fmt.Errorf("idempotency key: %w", err)
	}
	answer := new(Answer)
	return answer, json.Unmarshal(encoded, answer)
}

// Finish keeps how a request was answered that Begin has noted. One that failed on our side may be tried anew: answer
// is nil then.
func (s *Store) Finish(ctx context.Context, by Caller, key string, answer *Answer) error {
	ctx, cancel := storage.Outlasting(ctx)
	defer cancel()
	var sealed []byte
	if answer != nil {
		encoded, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		sealed = s.Seal.Close(sealForAnswers, encoded)
	}
	err := s.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if answer == nil {
			_, err := tx.NewDelete().Model(
				(*Repeatable)(nil),
			).Where(
				"caller = ? AND key = ? AND status IS NULL",
				by.Actor(),
				key,
			).
				Exec(
					ctx,
				)
			return err
		}
		_, err := tx.NewUpdate().Model((*Repeatable)(nil)).Set("status = ?", answer.Status).
			Set("sealed_answer = ?", sealed).Where("caller = ? AND key = ?", by.Actor(), key).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("idempotency key: %w", err)
	}
	return nil
}

// Expire drops the answers that are kept no longer, and returns how many.
func (s *Store) Expire(ctx context.Context) (int64, error) {
	now := s.Now()
	dropped, err := storage.Write(ctx, s.Database, func(ctx context.Context, tx bun.Tx) (int64, error) {
		result, err := tx.NewDelete().Model((*Repeatable)(nil)).Where("ends_at <= ?", now).Exec(ctx)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
	if err != nil {
		return 0, fmt.Errorf("expire idempotency keys: %w", err)
	}
	return dropped, nil
}

func checkRepeatableKey(key string) error {
	if key == "" || len(key) > maxRepeatableKey {
		return ErrRepeatableKey
	}
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return ErrRepeatableKey
		}
	}
	return nil
}
