package structure

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// securityPage is the document that says which demands on security hold, and by which tests.
const securityPage = "../../../docs/security.md"

var (
	testName   = regexp.MustCompile("`([\\w/-]+)\\.((?:Test|Fuzz)\\w+)`")
	linkInText = regexp.MustCompile(`\]\(([^)#]*)(?:#([^)]*))?\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// demand is a row of the page's tables.
type demand struct{ number, gist, state, because string }

// demands reads the rows of the tables that have a column for the state.
func demands(page string) (all []demand) {
	inTable := false
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case len(cells) != 4:
			inTable = false
		case strings.TrimSpace(cells[2]) == "state":
			inTable = true
		case inTable && !strings.HasPrefix(cells[0], "---"):
			for i, cell := range cells {
				cells[i] = strings.TrimSpace(cell)
			}
			all = append(all, demand{cells[0], cells[1], cells[2], cells[3]})
		}
	}
	return all
}

// existingTests are all tests, by the folder of their package and their name.
func existingTests(t *testing.T) map[string]bool {
	t.Helper()
	tests := make(map[string]bool)
	for _, s := range sources(t) {
		for _, declaration := range s.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && s.isTest() {
				tests[filepath.ToSlash(filepath.Dir(s.path))+"."+function.Name.Name] = true
			}
		}
	}
	return tests
}

// What the page says is held by tests, which are there, or by a page, which is there too.
func TestSecurityPageNamesTestsThatExist(t *testing.T) {
	content, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	tests, page := existingTests(t), string(content)
	for _, name := range testName.FindAllStringSubmatch(page, -1) {
		if folder := regexp.MustCompile(`^e2e/`).ReplaceAllString(name[1], "cmd/internal/e2e/"); !tests[folder+"."+name[2]] {
			t.Errorf("%s names %s, which does not exist", securityPage, name[0])
		}
	}
	rows := demands(page)
	if len(rows) < 150 {
		t.Errorf("found %d rows: this test looks at nothing", len(rows))
	}
	for _, row := range rows {
		held := testName.MatchString(row.because) || linkInText.MatchString(row.because)
		switch {
		case row.number == "" || row.gist == "" || row.because == "":
			t.Errorf("a row is not filled in: %+v", row)
		case !slices.Contains([]string{"holds", "in part", "not yet", "n/a"}, row.state):
			t.Errorf("%s: no such state: %s", row.number, row.state)
		case row.state == "holds" && !held:
			t.Errorf("%s holds, by what? %s", row.number, row.because)
		}
	}
}

// attackList are the attacks that make attack runs besides its own package.
const attackList = "../e2e/attack/others.txt"

// A test that was renamed would not be run by make attack, and nobody would notice.
func TestAttackListNamesTestsThatExist(t *testing.T) {
	content, err := os.ReadFile(attackList)
	if err != nil {
		t.Fatal(err)
	}
	tests, listed := existingTests(t), 0
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			if listed++; len(fields) < 3 || !tests[fields[0]+"."+fields[1]] {
				t.Errorf("%s: no test, or nothing is said of it: %s", attackList, line)
			}
		}
	}
	if listed < 10 {
		t.Errorf("%s: found %d tests: this test looks at nothing", attackList, listed)
	}
}

// Its links lead to files and headings that are there.
func TestSecurityPageLinksToWhatExists(t *testing.T) {
	content, err := os.ReadFile(securityPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range linkInText.FindAllStringSubmatch(string(content), -1) {
		target := content
		if link[1] != "" {
			if target, err = os.ReadFile(filepath.Join(filepath.Dir(securityPage), link[1])); err != nil {
				t.Errorf("%s: %v", link[0], err)
				continue
			}
		}
		if link[2] != "" && !slices.Contains(anchors(string(target)), link[2]) {
			t.Errorf("%s: there is no such heading", link[0])
		}
	}
}

// anchors are the names by which links lead to the headings of a page.
func anchors(page string) (all []string) {
	for _, match := range heading.FindAllStringSubmatch(page, -1) {
		words := strings.Fields(regexp.MustCompile(`[^\w\s-]`).ReplaceAllString(strings.ToLower(match[1]), ""))
		all = append(all, strings.Join(words, "-"))
	}
	return all
}
