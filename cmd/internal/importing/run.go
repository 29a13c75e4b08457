// Package importing takes in people from a file of JSON lines, which docs/import.md describes. Begin with Run.
package importing

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/transfer"
)

const (
	maxLine       = 256 << 10 // bytes
	byteOrderMark = "\ufeff"
)

// Summary is what an import came to.
type Summary struct {
	DryRun       bool  `json:"dry_run"`
	Lines        int64 `json:"lines"` // that hold something
	Imported     int64 `json:"imported"`
	AlreadyThere int64 `json:"already_there"`
	Refused      int64 `json:"refused"`
}

// Refusal is a line that was refused.
type Refusal struct {
	Line     int64  `json:"line"`
	Username string `json:"username"` // empty where the line could not be read
	Reason   string `json:"reason"`
}

// Run is one way through a file. Set all fields but Summary.
type Run struct {
	Store    *transfer.Store
	DryRun   bool
	Refuse   func(Refusal) error // is told of each line that is refused; its error ends the run
	Progress *Progress
	Summary  Summary // what it came to so far
}

// All reads line by line, so that a file of any size takes the memory of one line. It stops between two people.
func (r *Run) All(ctx context.Context, file io.Reader) error {
	reader := bufio.NewReaderSize(file, maxLine)
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, length, err := readLine(reader)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		if len(bytes.TrimSpace(line)) > 0 || length > maxLine {
			if err := r.one(ctx, number, line, length); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		r.Progress.show(r.Summary, length)
		if err != nil {
			return nil
		}
	}
}

// readLine returns the next line, which is good until the next call, and its length. Of a line that is too long it
// returns nothing but the length.
func readLine(reader *bufio.Reader) (line []byte, length int, err error) {
	line, err = reader.ReadSlice('\n')
	length = len(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = reader.ReadSlice('\n')
		length += len(line)
		line = nil
	}
	if length > maxLine {
		line = nil
	}
	return line, length, err
}

func (r *Run) one(ctx context.Context, number int64, line []byte, length int) error {
	r.Summary.Lines++
	var person personLine
	var err error
	if length > maxLine {
		err = refused(fmt.Sprintf("the line is longer than %d bytes", maxLine))
	} else if err = person.read(line); err == nil {
		_, err = r.Store.Import(ctx, person.person(r.DryRun))
	}
	var faults refusal.FieldFaults
	var unread refused
	switch {
	case err == nil:
		r.Summary.Imported++
	case errors.Is(err, identity.ErrUsernameTaken):
		r.Summary.AlreadyThere++
	case errors.As(err, &faults), errors.As(err, &unread):
		r.Summary.Refused++
		return r.Refuse(Refusal{Line: number, Username: person.Username, Reason: err.Error()})
	default:
		return err
	}
	return nil
}
