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

// statements are those of a script, each with the comments before it, in which a semicolon ends nothing.
func statements(script string) []string {
	script = comment.ReplaceAllStringFunc(script, func(c string) string { return strings.ReplaceAll(c, ";", ",") })
	return strings.Split(script, ";")
}

// breaking lists the statements of a script that the version before may not survive and that name no version since
// which it does.
func breaking(script string) (found []string) {
	created := map[string]bool{}
	for _, raw := range statements(script) {
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

// A migration is one transaction, which holds the locks that it takes on PostgreSQL until its end, and nobody reads or
// writes those tables meanwhile. So nothing in it may take long: what goes through a table that may be large has to say
// in a comment before the statement why it does not take long:
//
//	-- brief: one row for each provider
//
// An index on a large table is made beside the migrations, by CREATE INDEX CONCURRENTLY: docs/upgrading.md.
var (
	brief   = regexp.MustCompile(`(?m)^\s*-- brief: \S`)
	indexed = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX .*?\bON (?:ONLY )?(\S+)`)
	filled  = regexp.MustCompile(`^(?:UPDATE|DELETE FROM) (?:ONLY )?(\S+)`)
	rewrote = regexp.MustCompile(`\bTYPE\b|\bSET NOT NULL\b|\bADD (CONSTRAINT|UNIQUE|CHECK|PRIMARY|FOREIGN|EXCLUDE)\b`)
)

// lengthy lists the statements of a script that go through a table that was there before, and do not say why that is
// brief.
func lengthy(script string) (found []string) {
	created := map[string]bool{}
	for _, raw := range statements(script) {
		statement := strings.ToUpper(strings.Join(strings.Fields(comment.ReplaceAllString(raw, "")), " "))
		if match := table.FindStringSubmatch(statement); match != nil {
			created[match[1]] = true
		}
		long := false
		for _, pattern := range []*regexp.Regexp{indexed, filled} {
			match := pattern.FindStringSubmatch(statement)
			long = long || match != nil && !created[match[1]]
		}
		if match := altered.FindStringSubmatch(statement); match != nil && !created[match[1]] {
			long = long || rewrote.MatchString(match[2])
		}
		if long && !brief.MatchString(raw) {
			found = append(found, statement)
		}
	}
	return found
}

// tables says of each table whether it grows with the people, with what they do, or with what apps do. Of a table that
// grows no index is made while everybody waits, however brief somebody thinks it is: it is made beforehand, with CREATE
// INDEX CONCURRENTLY as docs/upgrading.md says, and the migration finds it there:
//
//	-- brief: made before by CREATE INDEX CONCURRENTLY, as the release notes say
//	CREATE INDEX IF NOT EXISTS sessions_ip ON sessions (ip)
//
// Of a column that the migration adds itself nothing can be made beforehand: there an index WHERE it IS NOT NULL is one
// pass over the rows, in which it finds none.
var tables = map[string]bool{
	"users": true, "profiles": true, "pictures": true, "emails": true, "phones": true, "user_roles": true,
	"external_accounts": true, "passkeys": true, "hardware_keys": true, "totps": true, "backup_codes": true, "known_devices": true,
	"sessions": true, "participations": true, "grants": true, "consents": true, "codes": true, "refresh_tokens": true,
	"pushed_requests": true, "device_requests": true,
	"revoked_tokens": true, "one_time_marks": true, "proofs": true, "password_reset_tokens": true,
	"upstream_requests": true, "arrivals": true, "login_attempts": true, "login_attempts_default": true,
	"audit_trail": true, "audit_trail_default": true, "quotas": true, "api_consents": true, "logout_deliveries": true,
	"pairwise_subjects": true, "group_members": true, "idempotency_keys": true, "refusals": true,
	"events": true, "event_outbox": true, "webhook_deliveries": true,

	"clients": false, "apis": false, "initial_access_tokens": false, "providers": false, "signing_keys": false, "invitations": false,
	"encryption_keys": false,
	"sign_in_hours":   false, "groups": false, "group_roles": false, "client_access": false, "api_keys": false, "admin_roles": false,
	"event_feed": false, "webhooks": false, "webhook_failures": false,
}

var (
	madeBefore = regexp.MustCompile(`(?m)^\s*-- brief: .*\bCREATE INDEX CONCURRENTLY\b`)
	added      = regexp.MustCompile(`\bADD COLUMN (?:IF NOT EXISTS )?(\S+)`)
	ofFew      = regexp.MustCompile(` WHERE (\S+) IS NOT NULL$`)
	mayBeThere = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX IF NOT EXISTS `)
)

// blocking lists the statements of a script that make an index on a table that grows, as far as it was there before,
// and for which everybody would wait.
func blocking(script string) (found []string) {
	created, columns := map[string]bool{}, map[string]bool{}
	for _, raw := range statements(script) {
		statement := strings.ToUpper(strings.Join(strings.Fields(comment.ReplaceAllString(raw, "")), " "))
		if match := table.FindStringSubmatch(statement); match != nil {
			created[match[1]] = true
		}
		if match := altered.FindStringSubmatch(statement); match != nil {
			for _, column := range added.FindAllStringSubmatch(match[2], -1) {
				columns[match[1]+" "+column[1]] = true
			}
		}
		match := indexed.FindStringSubmatch(statement)
		if match == nil || created[match[1]] || !tables[strings.ToLower(match[1])] {
			continue
		}
		if few := ofFew.FindStringSubmatch(statement); few != nil && columns[match[1]+" "+few[1]] {
			continue
		}
		if !mayBeThere.MatchString(statement) || !madeBefore.MatchString(raw) {
			found = append(found, statement)
		}
	}
	return found
}

func TestIndexesOfTablesThatGrowAreMadeBefore(t *testing.T) {
	files, err := fs.Glob(Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		script, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range statements(string(script)) {
			statement := strings.ToUpper(strings.Join(strings.Fields(comment.ReplaceAllString(raw, "")), " "))
			match := table.FindStringSubmatch(statement)
			if match == nil {
				continue
			}
			if _, known := tables[strings.ToLower(match[1])]; !known {
				t.Errorf("%s: does the table %s grow? Say so in the list of this test.", name, strings.ToLower(match[1]))
			}
		}
		if name < firstBrief || strings.HasSuffix(name, ".sqlite.sql") {
			continue
		}
		for _, statement := range blocking(string(script)) {
			t.Errorf("%s: everybody waits until this index is made\n\t%s\nLet it be made before; docs/upgrading.md says how.",
				name, statement)
		}
	}
}

func TestBlockingIndexesAreFound(t *testing.T) {
	const reason = "-- brief: made before by CREATE INDEX CONCURRENTLY\n"
	for statement, want := range map[string]bool{
		reason + "CREATE INDEX IF NOT EXISTS i ON sessions (a)":                                       false,
		reason + "CREATE UNIQUE INDEX IF NOT EXISTS i ON sessions (a)":                                false,
		"CREATE TABLE sessions (a TEXT);\nCREATE INDEX i ON sessions (a)":                             false,
		"-- brief: few rows\nCREATE INDEX i ON clients (a)":                                           false,
		"ALTER TABLE sessions ADD COLUMN a TEXT;\nCREATE INDEX i ON sessions (a) WHERE a IS NOT NULL": false,
		"ALTER TABLE sessions ADD COLUMN a TEXT;\nCREATE INDEX i ON sessions (b) WHERE b IS NOT NULL": true,
		"ALTER TABLE sessions ADD COLUMN a TEXT;\nCREATE INDEX i ON sessions (a)":                     true,
		"CREATE INDEX i ON sessions (a)":                                                              true,
		"-- brief: one pass\nCREATE INDEX i ON sessions (a)":                                          true,
		"-- brief: one pass\nCREATE INDEX IF NOT EXISTS i ON sessions (a)":                            true,
		reason + "CREATE INDEX i ON sessions (a)":                                                     true,
		"create index i on only audit_trail (a)":                                                      true,
		reason + "CREATE INDEX CONCURRENTLY i ON users (a)":                                           true, // not in a transaction
		"-- brief: few rows\nCREATE INDEX i ON clients (a);\nCREATE INDEX j ON users (b)":             true,
	} {
		if got := len(blocking(statement)) > 0; got != want {
			t.Errorf("found: %t, want %t:\n%s", got, want, statement)
		}
	}
}

// firstBrief is the number of the first migration that has to be brief. Those before are the first release's.
const firstBrief = "0023"

func TestMigrationsAreBrief(t *testing.T) {
	files, err := fs.Glob(Files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if name < firstBrief || strings.HasSuffix(name, ".sqlite.sql") {
			continue
		}
		script, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range lengthy(string(script)) {
			t.Errorf(
				"%s: on a large table this takes long, and keeps everybody waiting\n\t%s\nSay why it is brief, or do it "+
					"otherwise; docs/upgrading.md says how.", name, statement,
			)
		}
	}
}

func TestLengthyStatementsAreFound(t *testing.T) {
	for statement, want := range map[string]bool{
		"CREATE TABLE t (a TEXT);\nCREATE INDEX i ON t (a)":                  false,
		"CREATE TABLE t (a TEXT);\nUPDATE t SET a = ''":                      false,
		"ALTER TABLE t ADD COLUMN a TEXT":                                    false,
		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT ''":                false,
		"-- brief: one row for each provider\nCREATE INDEX i ON t (a)":       false,
		"DROP TRIGGER x ON t":                                                false,
		"CREATE INDEX i ON t (a)":                                            true,
		"SELECT 1; -- one; two\nCREATE INDEX i ON t (a)":                     true,
		"create unique index i on only t (a)":                                true,
		"UPDATE t SET a = b":                                                 true,
		"DELETE FROM t WHERE a IS NULL":                                      true,
		"ALTER TABLE t ALTER COLUMN a TYPE BIGINT":                           true,
		"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)":                       true,
		"-- brief: small\nCREATE INDEX i ON t (a);\nCREATE INDEX j ON t (b)": true,
	} {
		if got := len(lengthy(statement)) > 0; got != want {
			t.Errorf("found: %t, want %t:\n%s", got, want, statement)
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
