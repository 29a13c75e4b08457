package storage_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/storage"
)

// What stands in single quotes becomes an argument, and nothing else does.
func TestParameterize(t *testing.T) {
	t.Parallel()
	for query, want := range map[string][]any{ // the texts of the statements, each followed by its arguments
		`SELECT 1`: {`SELECT 1`},
		`SELECT * FROM t WHERE a = 'x' AND b = ''`:    {`SELECT * FROM t WHERE a = $1 AND b = $2`, `x`, ``},
		`SELECT 'it''s', ''''`:                        {`SELECT $1, $2`, `it's`, `'`},
		`SELECT 'a;b' FROM "t;'" WHERE c = 'd'`:       {`SELECT $1 FROM "t;'" WHERE c = $2`, `a;b`, `d`},
		`SELECT 'a\' , "x""y", 'b'`:                   {`SELECT $1 , "x""y", $2`, `a\`, `b`},
		`INSERT INTO t VALUES ('\x00ff'::bytea, 'é')`: {`INSERT INTO t VALUES ($1::bytea, $2)`, `\x00ff`, `é`},
		`SELECT now() - INTERVAL '1 day', 'x'`:        {`SELECT now() - INTERVAL '1 day', $1`, `x`},
		"UPDATE t SET a = 'b';\nDELETE FROM u;":       {`UPDATE t SET a = $1`, `b`, `DELETE FROM u`},
		`SELECT 'a' -- b`:                             nil,
		`SELECT /* b */ 'a'`:                          nil,
		`SELECT $1`:                                   nil,
		`DO $$ BEGIN 'x' END $$`:                      nil,
		`SELECT E'\n'`:                                nil,
		`SELECT X'00'`:                                nil,
		`SELECT 'open`:                                nil,
		`SELECT "open`:                                nil,
		``:                                            nil,
		`SELECT a IN (` + strings.Repeat(`'',`, 501):  nil,
	} {
		got, ok := storage.Parameterized(query, '$')
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n\tbecomes %q, %t\n\twant %q", query, got, ok, want)
		}
	}
	for query, want := range map[string][]any{ // on SQLite, which has literals of blobs
		`SELECT * FROM t WHERE a = X'00FF' AND b = 'x'`: {
			`SELECT * FROM t WHERE a = ?1 AND b = ?2`, []byte{0, 255}, `x`,
		},
		`INSERT INTO t VALUES (X'', '$1', 1)`: {`INSERT INTO t VALUES (?1, ?2, 1)`, []byte{}, `$1`},
		`SELECT MAX(X), "X'"`:                 {`SELECT MAX(X), "X'"`},
		`SELECT X'0'`:                         nil,
		`SELECT X'00`:                         nil,
		`SELECT ?`:                            nil,
		`SELECT aX'00'`:                       nil,
	} {
		got, ok := storage.Parameterized(query, '?')
		if ok != (want != nil) || ok && !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n\tbecomes %q, %t\n\twant %q", query, got, ok, want)
		}
	}
}
