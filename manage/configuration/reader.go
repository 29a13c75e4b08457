package configuration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/wicket-id/wicket/oidc"
)

// reader reads YAML, or JSON, which is YAML, as a shape has it, and collects what is wrong.
type reader struct {
	faults Faults
	lines  map[string]int // of paths
}

// parse reads the one document of a text. It says where that is no YAML, and nothing of what is there.
func parse(source []byte) (ast.Node, error) {
	if at := tooDeep(source); at > 0 {
		return nil, &Fault{Line: at, Err: errors.New("here is more in one another than anything of a file is")}
	}
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, &Fault{Line: lineOf(err), Err: errors.New("this is not YAML")}
	}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body == nil {
			continue
		}
		if body != nil {
			return nil, &Fault{Line: line(document.Body), Err: errors.New("a file is one document; here begins another")}
		}
		body = document.Body
	}
	if body == nil {
		return nil, &Fault{Err: errors.New("the file is empty; it begins with version: 1")}
	}
	return body, nil
}

const (
	mostOpen      = 100 // brackets and braces: the deepest thing of a file has a handful
	mostIndicated = 20  // beginnings of lists in one line
)

// tooDeep is the line where a text has more in one another than the parser can read in time: what it takes grows with
// the square of the depth, and its stack with the depth. It counts brackets, also those in texts, so that it need know
// nothing of YAML; 0: nowhere.
func tooDeep(source []byte) int {
	open, number := 0, 0
	for text := range bytes.Lines(source) {
		number++
		beginning := text[:len(text)-len(bytes.TrimLeft(text, " \t-?:"))]
		if len(bytes.Fields(beginning)) > mostIndicated {
			return number
		}
		for _, char := range text {
			switch {
			case char == '[' || char == '{':
				open++
			case (char == ']' || char == '}') && open > 0:
				open--
			}
			if open > mostOpen {
				return number
			}
		}
	}
	return 0
}

// lineOf is where a text is no YAML; 0: that is not known.
func lineOf(err error) int {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil && at.GetToken().Position != nil {
		return at.GetToken().Position.Line
	}
	return 0
}

func line(node ast.Node) int {
	if mapping, ok := node.(*ast.MappingNode); ok && !mapping.IsFlowStyle && len(mapping.Values) > 0 {
		node = mapping.Values[0].Key
	}
	if token := node.GetToken(); token != nil && token.Position != nil {
		return token.Position.Line
	}
	return 0
}

func (r *reader) fault(path string, err error) {
	r.faults = append(r.faults, &Fault{Line: r.lineAt(path), Path: path, Err: err})
}

// lineAt is the line of a path, or of what it is in.
func (r *reader) lineAt(path string) int {
	for {
		if at, known := r.lines[path]; known || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// value reads what stands at a path: text, a truth value, a number, []any or map[string]any. It returns nil where
// nothing does, or something that is wrong.
func (r *reader) value(node ast.Node, s *shape, path string) any {
	if _, nothing := node.(*ast.NullNode); node == nil || nothing {
		return nil
	}
	r.lines[path] = line(node)
	switch node := node.(type) {
	case *ast.MappingNode:
		if s.kind == object || s.kind == table || s.kind == whole {
			return r.object(node.Values, s, path)
		}
	case *ast.MappingValueNode:
		if s.kind == object || s.kind == table || s.kind == whole {
			return r.object([]*ast.MappingValueNode{node}, s, path)
		}
	case *ast.SequenceNode:
		if s.either != nil {
			s = s.either
		}
		if s.kind == list || s.kind == whole {
			return r.list(node, s, path)
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		r.fault(path, errors.New("anchors, aliases and tags of YAML are not read here; write the value itself"))
		return nil
	default:
		if value, ok := r.scalar(node, s, path); ok {
			return value
		}
	}
	r.fault(path, errors.New("here must be "+s.name()))
	return nil
}

// scalar reads a value that is one by itself, and tells whether it is of the shape.
func (r *reader) scalar(node ast.Node, s *shape, path string) (any, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return r.text(node.Value, path), s.kind == text || s.kind == whole
	case *ast.LiteralNode:
		return r.text(node.Value.Value, path), s.kind == text || s.kind == whole
	case *ast.BoolNode:
		return node.Value, s.kind == truth || s.kind == whole
	case *ast.IntegerNode:
		switch n := node.Value.(type) {
		case int64:
			return n, s.kind == number || s.kind == whole
		case uint64:
			if n <= math.MaxInt64 {
				return int64(n), s.kind == number || s.kind == whole
			}
		}
	}
	return nil, false
}

func (r *reader) text(value, path string) string {
	if oidc.CheckText(value) != nil {
		r.fault(path, errors.New("this is not text in UTF-8 without NUL"))
		return ""
	}
	return value
}

func (r *reader) list(node *ast.SequenceNode, s *shape, path string) []any {
	of := s.of
	if s.kind == whole {
		of = s
	}
	items := []any{}
	for i, item := range node.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		value := r.value(item, of, at)
		if value == nil && len(r.faults) == 0 {
			r.lines[at] = line(item)
			r.fault(at, errors.New("there is nothing here"))
		}
		items = append(items, value)
	}
	return items
}

// fieldName is how the names of members look. Another one may be a value that went astray.
var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)

func (r *reader) object(members []*ast.MappingValueNode, s *shape, path string) map[string]any {
	values := make(map[string]any, len(members))
	for _, pair := range members {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok || oidc.CheckText(key.Value) != nil {
			r.faults = append(r.faults, &Fault{Line: line(pair.Key), Path: path, Err: errors.New("a name must be text")})
			continue
		}
		name, at := key.Value, strings.TrimPrefix(path+"."+key.Value, ".")
		of := s.of
		switch s.kind {
		case whole:
			of = s
		case object:
			known := s.find(name)
			if known == nil {
				unknown := "there is no such field here"
				if fieldName.MatchString(name) {
					unknown = "unknown field " + name
				}
				r.faults = append(r.faults, &Fault{Line: line(pair.Key), Path: path, Err: errors.New(unknown)})
				continue
			}
			of = known.shape
		}
		if _, twice := values[name]; twice {
			r.faults = append(r.faults, &Fault{Line: line(pair.Key), Path: at, Err: errors.New("it is here twice")})
			continue
		}
		if value := r.value(pair.Value, of, at); value != nil { // null: as if it were left out, RFC 7591, section 2
			values[name] = value
		}
		r.lines[at] = line(pair.Key)
	}
	return values
}

// decode makes a value that was read into one of ours.
func decode(value, into any) error {
	encoded, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(encoded, into)
	}
	if err != nil {
		return errors.New("it cannot be read")
	}
	return nil
}
