package migrations

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// Versions N and N+1 run side by side on one schema, N+1's, while a deployment is rolled out or back:
// docs/upgrading.md. So a migration only adds to, or relaxes, what the version before reads and writes. What takes
// something away has to wait until a released version does without it, and says which one in a comment before the
// statement:
//
//	-- contract: since v0.3 nobody reads or writes users.nickname
var (
	contract = regexp.MustCompile(`(?m)^\s*-- contract: since v\d+\.\d+ \S`)
	comment  = regexp.MustCompile(`--[^\n]*`)
	table    = regexp.MustCompile(`^CREATE TABLE (?:IF NOT EXISTS )?(\S+)`)
	dropped  = regexp.MustCompile(`^DROP (TABLE|VIEW|INDEX|TYPE)\b`)
	unique   = regexp.MustCompile(`^CREATE UNIQUE INDEX .*?\bON (?:ONLY )?(\S+)`)
	altered  = regexp.MustCompile(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\S+) (.*)`)
	narrower = regexp.MustCompile(`\bRENAME\b|\bDROP\b|\bTYPE\b|\bADD (CONSTRAINT|UNIQUE|CHECK|PRIMARY|FOREIGN|EXCLUDE)\b`)
)

// breaking lists the statements of a script that the version before may not survive and that name no version since
// which it does.
func breaking(script string) (found []string) {
	created := map[string]bool{}
	for _, raw := range strings.Split(script, ";") {
		statement := strings.ToUpper(strings.Join(strings.Fields(comment.ReplaceAllString(raw, "")), " "))
		if match := table.FindStringSubmatch(statement); match != nil {
			created[match[1]] = true
		}
		breaks := dropped.MatchString(statement)
		if match := unique.FindStringSubmatch(statement); match != nil && !created[match[1]] {
			breaks = true // the version before may write what is no more unique
		}
		if match := altered.FindStringSubmatch(statement); match != nil && !created[match[1]] {
			for _, clause := range strings.Split(match[2], ", ") {
				relaxed := strings.HasSuffix(clause, "DROP NOT NULL")
				// the version before does not fill it
				unknown := strings.Contains(clause, "NOT NULL") && !strings.Contains(clause, "DEFAULT")
				breaks = breaks || !relaxed && (unknown || narrower.MatchString(clause))
			}
		}
		if breaks && !contract.MatchString(raw) {
			found = append(found, statement)
		}
	}
	return found
}

func TestTheVersionBeforeStillWorks(t *testing.T) {
	files, err := fs.Glob(Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		script, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range breaking(string(script)) {
			t.Errorf(
				"%s: the version before may not survive\n\t%s\nAdd or relax now and take away one minor version later; docs/upgrading.md says how.",
				name, statement,
			)
		}
	}
}

func TestBreakingStatementsAreFound(t *testing.T) {
	for statement, want := range map[string]bool{
		"CREATE TABLE t (a TEXT NOT NULL)":                                                              false,
		"ALTER TABLE t ADD COLUMN a TEXT":                                                               false,
		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT ''":                                           false,
		"ALTER TABLE t ADD COLUMN a UUID REFERENCES u (id) ON DELETE SET NULL":                          false,
		"ALTER TABLE t ALTER COLUMN a DROP NOT NULL":                                                    false,
		"CREATE INDEX i ON t (a)":                                                                       false,
		"DROP TRIGGER x ON t":                                                                           false,
		"-- DROP TABLE t\nSELECT 1":                                                                     false,
		"CREATE TABLE t (a TEXT);\nCREATE UNIQUE INDEX i ON t (a)":                                      false,
		"CREATE TABLE t (a TEXT);\nALTER TABLE t ADD COLUMN b TEXT NOT NULL":                            false,
		"-- Nicknames are gone.\n-- contract: since v0.3 nobody reads t.a\nALTER TABLE t DROP COLUMN a": false,

		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL":                                             true,
		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT '',\n    ADD COLUMN b TEXT NOT NULL": true,
		"alter table t drop column a":                                                          true,
		"ALTER TABLE t DROP a":                                                                 true,
		"ALTER TABLE t RENAME COLUMN a TO b":                                                   true,
		"ALTER TABLE t RENAME TO u":                                                            true,
		"ALTER TABLE t\n    ALTER COLUMN a -- wider\n    TYPE BIGINT":                          true,
		"ALTER TABLE t ALTER COLUMN a SET NOT NULL":                                            true,
		"ALTER TABLE t ALTER COLUMN a DROP DEFAULT":                                            true,
		"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)":                                         true,
		"CREATE UNIQUE INDEX i ON t (a)":                                                       true,
		"DROP INDEX i":                                                                         true,
		"DROP TABLE t":                                                                         true,
		"-- contract: some day\nDROP TABLE t":                                                  true,
		"-- contract: since v0.3 nobody reads t\nDROP TABLE t;\nDROP TABLE u":                  true,
		"CREATE TABLE u (a TEXT);\nINSERT INTO u SELECT a FROM t;\nDROP TABLE t;\nALTER TABLE u RENAME TO t": true,
	} {
		if got := len(breaking(statement)) > 0; got != want {
			t.Errorf("found: %t, want %t:\n%s", got, want, statement)
		}
	}
}
