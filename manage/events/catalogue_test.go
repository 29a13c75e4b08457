package events_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/manage/events"
)

var update = flag.Bool("update", false, "write docs/events.md anew")

const page = "../../docs/events.md"

// The page of events is what the catalogue says: go test ./manage/events -update writes it anew.
func TestPageOfEvents(t *testing.T) {
	t.Parallel()
	want := events.Document()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := os.ReadFile(page); err != nil || string(content) != want {
		t.Errorf("docs/events.md is stale (%v); run: go test ./manage/events -update", err)
	}
}

// written finds lines of the audit trail in the code: pairs of texts, and where the code computes one. What it computes
// is found where it happens: tests of a running server look at all lines that they have made.
func written(t *testing.T) (kinds map[[2]string]token.Position) {
	t.Helper()
	kinds = map[[2]string]token.Position{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := literal.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "Change" || fmt.Sprint(of.X) != "audit" {
				return true
			}
			kind := [2]string{textOf(literal, "Entity"), textOf(literal, "Action")}
			if kind[0] != "" && kind[1] != "" {
				kinds[kind] = files.Position(literal.Pos())
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

// textOf is the text of a member of a literal; empty where it is computed.
func textOf(literal *ast.CompositeLit, name string) string {
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok || fmt.Sprint(pair.Key) != name {
			continue
		}
		if value, ok := pair.Value.(*ast.BasicLit); ok {
			text, _ := strconv.Unquote(value.Value)
			return text
		}
	}
	return ""
}

func TestEachKindOfLineHasAName(t *testing.T) {
	t.Parallel()
	kinds := written(t)
	if len(kinds) < 50 {
		t.Errorf("%d kinds of lines are found in the code", len(kinds))
	}
	for kind, at := range kinds {
		if _, known := events.NameOf(kind[0], kind[1]); !known {
			t.Errorf("%s: no event is named for %s %s", at, kind[0], kind[1])
		}
	}
}

var namePattern = regexp.MustCompile(`^[a-z_]+\.[a-z_]+$`)

func TestNames(t *testing.T) {
	t.Parallel()
	names := events.Names()
	if len(names) < 60 || !slices.Contains(names, events.TestType) {
		t.Errorf("%d names", len(names))
	}
	for _, name := range names {
		if !namePattern.MatchString(name) {
			t.Errorf("%q is no noun and verb", name)
		}
	}
	for choice, want := range map[string]int{"*": len(names), "user.created": 1, "session.*": 4, "api.*": 4} {
		if chosen, err := events.Chosen([]string{choice}); err != nil || len(chosen) != want {
			t.Errorf("%s chooses %v, %v", choice, chosen, err)
		}
	}
	for _, wrong := range []string{"", "user", "user.", ".*", "user.invented", "**", "us*"} {
		if chosen, err := events.Chosen([]string{"user.created", wrong}); err == nil {
			t.Errorf("%q chooses %v", wrong, chosen)
		}
	}
	if name, known := events.NameOf("thing", "moved"); known || name != "thing.moved" {
		t.Errorf("what was forgotten is called %q", name)
	}
}
