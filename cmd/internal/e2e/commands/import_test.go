package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

const importedAda = `{"username":"ada","password_hash":"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW","is_active":true,"created_at":"2019-03-01T12:00:00Z",` +
	`"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","middle_name":"K","nickname":"Countess","profile":"https://ada.example/me","picture":"https://ada.example/me.png",` +
	`"website":"https://ada.example/","gender":"female","birthdate":"1815-12-10","zoneinfo":"Europe/London","locale":"en-GB","address":{"formatted":"St James's Square\nLondon","street_address":"12",` +
	`"locality":"London","region":"Greater London","postal_code":"SW1Y","country":"UK"},` +
	`"emails":[{"address":"ada@example.com","verified":true,"primary":true},{"address":"old@example.com","verified":false}],"phones":[{"number":"+44 20 7946 0001","verified":true}],"roles":["admin"]}`

func writeFile(t testing.TB, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImportCommand(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		line, _ := harness.NewCommandLine(t, databaseURL)
		// the last without a line end
		file := writeFile(t, "\ufeff"+importedAda, "", `{"username":"bob","is_active":false}`+"\r", `{"username":"carol"}`)
		var summary harness.PrintedImport
		line.JSON(t, &summary, "", "user", "import", file, "--dry-run")
		if summary != (harness.PrintedImport{DryRun: true, Lines: 3, Imported: 3}) {
			t.Errorf("dry run: %+v", summary)
		}
		var users []harness.PrintedUser
		if line.JSON(t, &users, "", "user", "list"); len(users) != 0 {
			t.Errorf("after the dry run: %+v", users)
		}
		line.JSON(t, &summary, "", "user", "import", file)
		if summary != (harness.PrintedImport{Lines: 3, Imported: 3}) {
			t.Errorf("import: %+v", summary)
		}
		line.JSON(t, &summary, "", "user", "import", file)
		if summary != (harness.PrintedImport{Lines: 3, AlreadyThere: 3}) {
			t.Errorf("again: %+v", summary)
		}
		if line.JSON(t, &users, "", "user", "list"); len(users) != 3 || users[0].Username != "ada" ||
			!users[0].CreatedAt.Equal(time.Date(2019, 3, 1, 12, 0, 0, 0, time.UTC)) || users[1].IsActive || !users[2].IsActive {
			t.Errorf("people: %+v", users)
		}

		cases := []struct{ line, username, reason string }{
			{`{"username":"x1"`, "", "not JSON"},
			{`["x2"]`, "", "not a JSON object"},
			{`{"username":"x3","password":"correct horse"}`, "x3", `unknown field "password"`},
			{`{"username":"x4","emails":[{"address":"x4@example.com","main":true}]}`, "x4", `unknown field "main"`},
			{`{"username":"x5"} {}`, "x5", "more than one"},
			{`{"username":"x6","roles":"admin"}`, "x6", "roles: this must not be a JSON string"},
			{`{"username":"x7","created_at":"yesterday"}`, "x7", "created_at: this is not a time"},
			{`{"username":"x8","created_at":1551441600}`, "x8", "created_at: this is not a time"},
			{"{\"username\":\"x9\xff\"}", "", "UTF-8"},
			{`{"username":"x10","nickname":"` + strings.Repeat("x", 2*262144) + `"}`, "", "longer than 262144 bytes"},
			{`{"username":"x11","password_hash":"correct horse"}`, "x11", "password_hash: this is no password hash"},
			{`{"username":"x12","password_hash":"$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}`, "x12", "from 4 to 15"},
			{`{"username":"x13","emails":[{"address":"ADA@example.com","verified":true}]}`, "x13", "emails[0]: this e-mail address belongs to another account"},
			{`{"username":"x14","phones":[{"number":"+442079460001","verified":true}]}`, "x14", "phones[0]: this phone number belongs"},
			{`{"username":"x15","zoneinfo":"Mars","birthdate":"soon"}`, "x15", "birthdate: "},
			{`{}`, "", "username: a username has"},
			{`null`, "", "username: a username has"},
		}
		var lines []string
		for _, c := range cases {
			lines = append(lines, c.line)
		}
		lines = append(lines, `{"username":"dora"}`)
		file, report := writeFile(t, lines...), filepath.Join(t.TempDir(), "refused.jsonl")
		for _, dry := range []bool{true, false} {
			arguments := []string{"user", "import", file, "--report", report, "-o", "json"}
			if dry {
				arguments = append(arguments, "--dry-run")
			}
			p := line.Run(t, "", arguments...)
			if err := json.Unmarshal(p.Out.Bytes(), &summary); err != nil {
				t.Fatalf("%v\n%s\n%s", err, &p.Out, &p.ErrOut)
			}
			if want := int64(len(cases)); p.ProcessState.ExitCode() != 1 ||
				summary != (harness.PrintedImport{DryRun: dry, Lines: want + 1, Imported: 1, Refused: want}) ||
				p.ErrOut.String() != fmt.Sprintf("wicket: %d of %d lines were refused\n", want, want+1) {
				t.Errorf("%s: %+v\n%s", p.ProcessState, summary, &p.ErrOut)
			}
			content, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(content), "correct horse") || strings.Contains(string(content), "CCCC") {
				t.Errorf("the report tells a secret: %s", content)
			}
			decoder := json.NewDecoder(bytes.NewReader(content))
			for i, c := range cases {
				var r harness.PrintedRefusal
				if err := decoder.Decode(&r); err != nil || r.Line != int64(i+1) || r.Username != c.username ||
					!strings.Contains(r.Reason, c.reason) {
					t.Errorf("%d: %+v, %v; want %q", i+1, r, err, c.reason)
				}
			}
			if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
				t.Errorf("more refusals: %s", content)
			}
		}
		if line.JSON(t, &users, "", "user", "list"); len(users) != 4 || users[3].Username != "dora" {
			t.Errorf("the refusals left something behind: %+v", users)
		}

		// Without a report they are told on standard error; a file must not be its own report.
		p := line.Run(t, `{"username":"a b"}`+"\n", "user", "import", "-")
		if p.ProcessState.ExitCode() != 1 || !strings.Contains(p.ErrOut.String(), `line 1 "a b": username: a username has`) ||
			p.Out.String() != "Imported 0, already there 0, refused 1.\n" {
			t.Errorf("%s\n%s%s", p.ProcessState, &p.Out, &p.ErrOut)
		}
		p = line.Run(t, "", "user", "import", file, "--report", file)
		if info, err := os.Stat(file); p.ProcessState.ExitCode() != 1 || !strings.Contains(p.ErrOut.String(), "overwrite") ||
			err != nil || info.Size() == 0 {
			t.Errorf("%s\n%s", p.ProcessState, &p.ErrOut)
		}
		if p = line.Run(t, "", "user", "import", file+".gone"); p.ProcessState.ExitCode() != 1 ||
			!strings.Contains(p.ErrOut.String(), "no such file") {
			t.Errorf("%s\n%s", p.ProcessState, &p.ErrOut)
		}
	})
}
