// Package rehearsal is where tests fail transactions on purpose: what a transaction does may be done again after a lost
// connection, so it must be written such that the first time leaves no trace. The package storagetest sets For in every
// test program; in the server it is nil, and nothing is rehearsed.
package rehearsal

import (
	"context"

	"github.com/uptrace/bun"
)

// Hook is called at the end of each attempt at a transaction: all of its work is done in tx and nothing is committed.
// attempt counts from 1. An error that the hook returns becomes the attempt's, in place of its own.
type Hook func(ctx context.Context, tx bun.Tx, attempt int) error

// For returns the hook for the database of a URL, or nil. It must be set before databases are opened.
var For func(url string) Hook
