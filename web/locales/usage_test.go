package locales_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	templates "text/template/parse"

	"github.com/pelletier/go-toml/v2"
)

const (
	root = "../.." // of the module
	web  = root + "/web/"
)

// messages are the keys of the English files, with their forms.
func messages(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	var read func(prefix string, table map[string]any)
	read = func(prefix string, table map[string]any) {
		if one, ok := table["one"].(string); ok {
			all[prefix] = []string{one, table["other"].(string)}
			return
		}
		for name, value := range table {
			key := strings.TrimPrefix(prefix+"."+name, ".")
			if text, ok := value.(string); ok {
				all[key] = []string{text}
			} else {
				read(key, value.(map[string]any))
			}
		}
	}
	for _, name := range []string{"en.toml", "console.en.toml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]any
		if err := toml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		read("", file)
	}
	return all
}

// use is a place where a message is used.
type use struct {
	at, key string
	markup  bool
	params  []string
}

// sources are the files of the module whose names end so, but tests.
func sources(t *testing.T, ending string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(name, ending) && !strings.HasSuffix(name, "_test.go"):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// usesInGo are the calls of Text and Markup, and the keys that are kept for later; codes are those of errors.
func usesInGo(t *testing.T) (uses []use, codes map[string]use) {
	codes = make(map[string]use)
	set := token.NewFileSet()
	for _, path := range sources(t, ".go") {
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			key, ok := literal(call.Args[0])
			of, name := called(call)
			if !ok {
				return true
			}
			found := use{at: set.Position(call.Pos()).String(), key: key, params: names(call.Args[len(call.Args)-1])}
			switch {
			case (name == "Text" || name == "Markup") && len(call.Args) <= 2 && strings.HasPrefix(path, web):
				found.markup = name == "Markup"
				uses = append(uses, found)
			case name == "Key" && (of == "locales" || file.Name.Name == "locales"):
				uses = append(uses, found)
			case of == "refusal" && (name == "New" || name == "NewWith"):
				if before, twice := codes[key]; twice {
					t.Errorf("%s: the code %q is that of the error at %s too", found.at, key, before.at)
				}
				codes[key] = found
			}
			return true
		})
	}
	return uses, codes
}

// called is the function that is called, and the name of what it is of: a package or a variable.
func called(call *ast.CallExpr) (of, name string) {
	switch function := call.Fun.(type) {
	case *ast.Ident:
		return "", function.Name
	case *ast.SelectorExpr:
		if x, ok := function.X.(*ast.Ident); ok {
			of = x.Name
		}
		return of, function.Sel.Name
	}
	return "", ""
}

func literal(node ast.Expr) (string, bool) {
	text, ok := node.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return "", false
	}
	value, err := strconv.Unquote(text.Value)
	return value, err == nil
}

// names are the keys of a map that is written out.
func names(node ast.Expr) (keys []string) {
	written, ok := node.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	for _, element := range written.Elts {
		if key, ok := literal(element.(*ast.KeyValueExpr).Key); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// usesInTemplates are the calls of the functions t and markup.
func usesInTemplates(t *testing.T) (uses []use) {
	for _, path := range sources(t, ".html") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		each(t, path, string(text), func(node templates.Node) {
			command, ok := node.(*templates.CommandNode)
			if !ok || len(command.Args) < 2 {
				return
			}
			function, ok := command.Args[0].(*templates.IdentifierNode)
			if !ok || function.Ident != "t" && function.Ident != "markup" {
				return
			}
			key, ok := command.Args[1].(*templates.StringNode)
			if !ok {
				return // a Key that was written in Go
			}
			found := use{at: path, key: key.Text, markup: function.Ident == "markup"}
			for i := 2; i < len(command.Args); i += 2 {
				name, ok := command.Args[i].(*templates.StringNode)
				if !ok {
					t.Errorf("%s: a parameter of %s has no name", path, key.Text)
					continue
				}
				found.params = append(found.params, name.Text)
			}
			uses = append(uses, found)
		})
	}
	return uses
}

// each calls see with every node of a template.
func each(t *testing.T, name, text string, see func(templates.Node)) {
	t.Helper()
	set := make(map[string]*templates.Tree)
	tree := templates.New(name)
	tree.Mode = templates.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", set); err != nil {
		t.Fatal(err)
	}
	var walk func(templates.Node)
	branch := func(b *templates.BranchNode) {
		walk(b.Pipe)
		walk(b.List)
		if b.ElseList != nil {
			walk(b.ElseList)
		}
	}
	walk = func(node templates.Node) {
		see(node)
		switch node := node.(type) {
		case *templates.ListNode:
			for _, child := range node.Nodes {
				walk(child)
			}
		case *templates.ActionNode:
			walk(node.Pipe)
		case *templates.PipeNode:
			for _, child := range node.Cmds {
				walk(child)
			}
		case *templates.CommandNode:
			for _, child := range node.Args {
				walk(child)
			}
		case *templates.IfNode:
			branch(&node.BranchNode)
		case *templates.RangeNode:
			branch(&node.BranchNode)
		case *templates.WithNode:
			branch(&node.BranchNode)
		case *templates.TemplateNode:
			if node.Pipe != nil {
				walk(node.Pipe)
			}
		}
	}
	for _, one := range set {
		walk(one.Root)
	}
}

// element is what a message may hold of HTML: emphasis, and links to pages of ours.
var element = regexp.MustCompile(`^(<strong>|</strong>|<a href="/[a-z-]*">|</a>|[^<>])*$`)

func checkUse(t *testing.T, all map[string][]string, u use) {
	t.Helper()
	forms, ok := all[u.key]
	if !ok {
		t.Errorf("%s: there is no message %q", u.at, u.key)
		return
	}
	wanted := make(map[string]bool)
	for _, form := range forms {
		each(t, u.key, form, func(node templates.Node) {
			if field, ok := node.(*templates.FieldNode); ok {
				wanted[field.Ident[0]] = true
			}
		})
		if strings.Contains(form, "<") != u.markup {
			t.Errorf("%s: %q and its use do not agree on whether it has elements of HTML", u.at, u.key)
		}
		if !element.MatchString(form) {
			t.Errorf("%q has elements of HTML that are not allowed: %s", u.key, form)
		}
	}
	delete(wanted, "Count") // the form for one may be without it
	given := slices.DeleteFunc(slices.Clone(u.params), func(name string) bool { return name == "Count" })
	if slices.Sort(given); !slices.Equal(given, slices.Sorted(maps.Keys(wanted))) {
		t.Errorf("%s: %q is given %v and needs %v", u.at, u.key, given, slices.Sorted(maps.Keys(wanted)))
	}
	if counted := slices.Contains(u.params, "Count"); counted != (len(forms) > 1) {
		t.Errorf("%s: %q has %d forms, and is given a count: %v", u.at, u.key, len(forms), counted)
	}
}

// What emails and text messages say is checked where they are written, in web/notify.
var elsewhere = regexp.MustCompile(`^(email\.\w+\.(subject|text)|sms\.\w+)$`)

func TestEveryMessageIsUsedAndThere(t *testing.T) {
	all, used := messages(t), make(map[string]bool)
	uses, codes := usesInGo(t)
	for _, u := range append(uses, usesInTemplates(t)...) {
		checkUse(t, all, u)
		used[u.key] = true
	}
	for code, u := range codes {
		sentence, page := "error."+code, "failure."+code
		_, hasSentence := all[sentence]
		_, hasPage := all[page+".title"]
		if !hasSentence && !hasPage {
			t.Errorf("%s: there are no words for the error %q", u.at, code)
		}
		if hasSentence {
			u.key = sentence
			checkUse(t, all, u)
			used[sentence] = true
		}
		for _, part := range []string{".title", ".explanation", ".advice"} {
			if u.key = page + part; hasPage {
				checkUse(t, all, u)
				used[u.key] = true
			}
		}
	}
	for key := range all {
		if !used[key] && !elsewhere.MatchString(key) {
			t.Errorf("nothing uses the message %q", key)
		}
	}
	if len(uses) == 0 || len(codes) == 0 {
		t.Error("the test finds nothing")
	}
}
