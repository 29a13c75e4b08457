package copying

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
)

// found is what a walk through a table came upon.
type found struct {
	rows, missing int64
	digest        []byte
}

const progressEvery = 1000 // rows

// walk goes through a table in both databases at once and hands each row that the target lacks to lacks. It returns
// ErrDiffers, with the rows that are to blame, where the target holds others than the source.
func (c *Copy) walk(
	ctx context.Context, from *snapshot, pair tablePair, doing Phase, lacks func(row) error,
) (found, error) {
	var met found
	source, err := newStream(ctx, c.From, from, pair.from)
	if err != nil {
		return met, fmt.Errorf("the source: %w", err)
	}
	defer func() { _ = source.rows.Close() }()
	target, err := newStream(ctx, c.To, c.To.Reader(), pair.to)
	if err != nil {
		return met, fmt.Errorf("the target: %w", err)
	}
	defer func() { _ = target.rows.Close() }()
	var others foreignRows
	digest := sha256.New()
	for source.row != nil || target.row != nil {
		order := -1 // the source's comes first, so the target lacks it
		if source.row == nil {
			order = 1
		} else if target.row != nil {
			order = compareKeys(source.key, target.key)
		}
		var encoded []byte
		if order <= 0 {
			encoded = source.row.appendTo(nil)
			_, _ = digest.Write(encoded)
			met.rows++
			if c.Progress != nil && met.rows%progressEvery == 0 {
				c.Progress(doing, pair.to.name, met.rows)
			}
		}
		switch {
		case order < 0:
			met.missing++
			if lacks != nil {
				if err := lacks(source.row); err != nil {
					return met, err
				}
			}
		case order > 0:
			others.add(pair.to.nameOf(target.row) + " is not in the source")
		case !bytes.Equal(encoded, target.row.appendTo(nil)):
			others.add(pair.to.nameOf(target.row) + " differs in " + strings.Join(pair.to.unlike(source.row, target.row), ", "))
		}
		if order <= 0 {
			if err := source.next(); err != nil {
				return met, fmt.Errorf("the source: %w", err)
			}
		}
		if order >= 0 {
			if err := target.next(); err != nil {
				return met, fmt.Errorf("the target: %w", err)
			}
		}
	}
	if c.Progress != nil {
		c.Progress(doing, pair.to.name, met.rows)
	}
	met.digest = digest.Sum(nil)
	return met, others.err()
}

// unlike returns the columns in which two rows differ. Their values are not told: there are secrets among them.
func (t *table) unlike(a, b row) []string {
	var names []string
	for i, c := range t.columns {
		if !bytes.Equal(row{a[i]}.appendTo(nil), row{b[i]}.appendTo(nil)) {
			names = append(names, c.name)
		}
	}
	return names
}

// foreignRows are rows of the target that are not the source's.
type foreignRows struct {
	count int
	named []string
}

func (s *foreignRows) add(text string) {
	if s.count++; len(s.named) < 5 {
		s.named = append(s.named, text)
	}
}

func (s *foreignRows) err() error {
	if s.count == 0 {
		return nil
	}
	text := strings.Join(s.named, "; ")
	if more := s.count - len(s.named); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Errorf("%w: %s", ErrDiffers, text)
}
