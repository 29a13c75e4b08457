package main

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wicket-id/wicket/"

// floors says which rooms a room may import, itself aside: imports only go down. A room that is missing here is new; give
// it its place.
var floors = map[string][]string{
	"cmd/wicket":                     {"storage/copying", "cmd/internal/server", "cmd/internal/sampleapp", "web", "web/notify", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal", "migrations"},
	"cmd/internal/server":            {"web", "web/notify", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal", "migrations"},
	"cmd/internal/sampleapp":         {}, // an app like any other: it knows Wicket by its protocol alone
	"web":                            {"web/protocol", "web/signin", "web/account", "web/frame", "web/pages", "web/assets", "web/notify", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"web/protocol":                   {"web/frame", "web/pages", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"}, // protocol, signin and account never see each other
	"web/signin":                     {"web/frame", "web/pages", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"web/account":                    {"web/frame", "web/pages", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"web/frame":                      {"web/pages", "oidc", "federation", "identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"web/notify":                     {"identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"web/notify/notifytest":          {},
	"web/pages":                      {"web/assets"},
	"web/assets":                     {},
	"oidc":                           {"identity", "storage", "storage/audit", "storage/cache", "storage/seal"}, // never federation
	"federation":                     {"identity", "storage", "storage/audit", "storage/cache", "storage/seal"}, // never oidc
	"identity":                       {"identity/password", "storage", "storage/audit", "storage/cache", "storage/seal"},
	"identity/password":              {},
	"identity/factor":                {"identity", "storage", "storage/audit", "storage/seal"},
	"identity/signin":                {"identity", "identity/factor", "identity/password", "storage", "storage/audit"},
	"identity/transfer":              {"identity", "identity/factor", "identity/password", "identity/signin", "storage", "storage/audit"},
	"storage":                        {"migrations", "storage/internal/rehearsal"},
	"storage/audit":                  {"storage"},
	"storage/cache":                  {"storage"},
	"storage/seal":                   {"storage"},
	"storage/copying":                {"storage"},
	"storage/internal/rehearsal":     {},
	"identity/identitytest":          {"identity", "identity/factor", "identity/password", "identity/signin", "identity/transfer", "storage", "storage/audit", "storage/cache", "storage/seal", "storage/storagetest"},
	"identity/password/passwordtest": {},
	"storage/storagetest":            {"storage", "migrations", "storage/internal/rehearsal"},
	"migrations":                     {},
}

// onlyTests are rooms that tests may enter from any floor, and programs never.
var onlyTests = []string{"storage/storagetest", "identity/identitytest", "identity/password/passwordtest", "web/notify/notifytest"}

func TestImportsOnlyGoDown(t *testing.T) {
	list := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,IgnoredGoFiles", module+"...")
	out, err := list.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		t.Fatalf("go list: %v\n%s", err, failed.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	var rooms []string
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var room struct {
			ImportPath, Dir                                    string
			GoFiles, TestGoFiles, XTestGoFiles, IgnoredGoFiles []string
		}
		if err := decoder.Decode(&room); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(room.ImportPath, module)
		rooms = append(rooms, name)
		below, known := floors[name]
		if !known {
			t.Errorf("the room %s has no place among the floors: %s", name, room.Dir)
			continue
		}
		for _, file := range slices.Concat(room.GoFiles, room.IgnoredGoFiles) {
			checkImports(t, name, filepath.Join(room.Dir, file), below)
		}
		for _, file := range slices.Concat(room.TestGoFiles, room.XTestGoFiles) {
			checkImports(t, name, filepath.Join(room.Dir, file), slices.Concat(below, onlyTests, []string{name}))
		}
	}
	for _, room := range []string{"cmd/wicket", "web", "oidc", "identity", "storage", "migrations"} {
		if !slices.Contains(rooms, room) {
			t.Errorf("go list did not find %s", room) // or this test looks at nothing
		}
	}
}

// checkImports names the line of a file that imports a room of ours that is not below.
func checkImports(t *testing.T, room, path string, below []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(imported, module); ok && !slices.Contains(below, ours) {
			t.Errorf("%s: %s may not import %s", files.Position(spec.Pos()), room, ours)
		}
	}
}

// The floors are a ladder: whatever is below a room is not above it too.
func TestFloorsHaveNoCircle(t *testing.T) {
	var reaches func(from, to string) bool
	reaches = func(from, to string) bool {
		return slices.ContainsFunc(floors[from], func(next string) bool { return next == to || reaches(next, to) })
	}
	for room, below := range floors {
		if reaches(room, room) {
			t.Errorf("%s is above itself", room)
		}
		for _, next := range below {
			if _, known := floors[next]; !known {
				t.Errorf("%s may import %s, which has no place", room, next)
			}
		}
	}
	if reaches("oidc", "federation") || reaches("federation", "oidc") {
		t.Error("oidc and federation see each other")
	}
}
