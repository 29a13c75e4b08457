package structure

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a package, a type and a function may measure: more than that cannot be held in one's head.
const (
	maxPackage  = 3000 // lines without tests
	maxMethods  = 30   // of one type
	maxFunction = 60   // lines, without those of composite literals: a table may be long
	maxColumns  = 120  // of a line, unless strings make it so, or it is a row of a table
	longString  = 60   // characters of strings in one line
)

// source is a Go file of the module.
type source struct {
	path  string // below the module's root
	lines []string
	set   *token.FileSet
	file  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// sources returns every Go file that is in the repository, or will be: what git ignores is left out.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSpace(string(root))
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	list.Dir = base
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	scanner := bufio.NewScanner(bytes.NewReader(names))
	for scanner.Scan() {
		content, err := os.ReadFile(filepath.Join(base, scanner.Text()))
		if os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		s := source{path: scanner.Text(), lines: strings.Split(string(content), "\n"), set: token.NewFileSet()}
		if s.file, err = parser.ParseFile(s.set, s.path, content, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) < 100 {
		t.Fatalf("found %d files: this test looks at nothing", len(all))
	}
	return all
}

func TestPackagesAreSmall(t *testing.T) {
	size := make(map[string]int)
	for _, s := range sources(t) {
		if !s.isTest() {
			size[filepath.Dir(s.path)] += len(s.lines)
		}
	}
	for folder, lines := range size {
		if lines > maxPackage {
			t.Errorf(
				"%s has %d lines without tests; %d are enough: which two questions does it answer?", folder, lines, maxPackage,
			)
		}
	}
}

func TestTypesHaveFewMethods(t *testing.T) {
	methods := make(map[string]int)
	for _, s := range sources(t) {
		for _, declaration := range s.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv != nil && !s.isTest() {
				methods[filepath.Dir(s.path)+"."+receiver(function)]++
			}
		}
	}
	for name, n := range methods {
		if n > maxMethods {
			t.Errorf("%s has %d methods; %d are enough", name, n, maxMethods)
		}
	}
}

func receiver(function *ast.FuncDecl) string {
	expression := function.Recv.List[0].Type
	for {
		switch e := expression.(type) {
		case *ast.StarExpr:
			expression = e.X
		case *ast.IndexExpr:
			expression = e.X
		case *ast.Ident:
			return e.Name
		default:
			return "?"
		}
	}
}

func TestFunctionsFitOnAScreen(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, declaration := range s.file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Body == nil {
				continue
			}
			if lines := span(s.set, function.Body) - linesOfTables(s.set, function.Body); lines > maxFunction {
				t.Errorf(
					"%s: %s has %d lines; %d are enough", s.set.Position(function.Pos()), function.Name.Name, lines, maxFunction,
				)
			}
		}
	}
}

func span(set *token.FileSet, node ast.Node) int {
	return set.Position(node.End()).Line - set.Position(node.Pos()).Line + 1
}

// linesOfTables counts the lines of composite literals, the outermost of each.
func linesOfTables(set *token.FileSet, node ast.Node) (lines int) {
	ast.Inspect(node, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if ok {
			lines += span(set, literal) - 1
		}
		return !ok
	})
	return lines
}

// linesOfRows returns the lines that are rows of a table: composite literals of one line within one of several.
func linesOfRows(s source) map[int]bool {
	rows := make(map[int]bool)
	ast.Inspect(s.file, func(n ast.Node) bool {
		table, ok := n.(*ast.CompositeLit)
		if !ok || span(s.set, table) == 1 {
			return true
		}
		for _, row := range table.Elts {
			rows[s.set.Position(row.Pos()).Line] = span(s.set, row) == 1
		}
		return true
	})
	return rows
}

func TestLinesAreShort(t *testing.T) {
	for _, s := range sources(t) {
		exempt := linesOfRows(s)
		written := make(map[int]int) // characters of strings, by line
		ast.Inspect(s.file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				first, last := s.set.Position(literal.Pos()).Line, s.set.Position(literal.End()).Line
				for line := first; line <= last; line++ {
					written[line] += len(literal.Value)
					exempt[line] = exempt[line] || last > first || written[line] > longString
				}
			}
			return true
		})
		for i, line := range s.lines {
			if columns := utf8.RuneCountInString(line); columns > maxColumns && !exempt[i+1] {
				t.Errorf("%s:%d has %d columns; %d are enough", s.path, i+1, columns, maxColumns)
			}
		}
	}
}
