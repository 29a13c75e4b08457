// Package migrations answers one question: what shape has the data?
//
// It holds the schema as SQL files, in the order of their numbers. A file serves both databases unless its name says
// otherwise: 0003_x.postgres.sql beside 0003_x.sqlite.sql. A file that has been released is never edited; the next
// change is the next number. The version before works on the schema that it leaves, too: docs/upgrading.md.
package migrations

import "embed"

// Files are the migrations; storage.Migrate applies them.
//
//go:embed *.sql
var Files embed.FS
