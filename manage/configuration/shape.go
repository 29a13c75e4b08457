package configuration

import (
	"reflect"
	"strings"
	"sync"

	"github.com/wicket-id/wicket/oidc/clients"
)

// shape says what may stand at a place of a file.
type shape struct {
	kind    kind
	of      *shape   // of a list: its items; of a table: its values
	members []member // of an object
	either  *shape   // or else this
}

type kind int

const (
	text   kind = iota
	truth       // true or false
	number      // an integer
	list
	object // with these members
	table  // with any names
	whole  // a JSON object that is read elsewhere, such as a JWK set
)

// member is something that an object may have.
type member struct {
	name  string
	words string // what it is, for people
	shape *shape
}

// find returns the member with that name, or nil.
func (s *shape) find(name string) *member {
	for i := range s.members {
		if s.members[i].name == name {
			return &s.members[i]
		}
	}
	return nil
}

// documentShape is what a file may be.
var documentShape = sync.OnceValue(func() *shape {
	return &shape{kind: object, members: []member{
		{"version", "1, of this form of the file.", &shape{kind: number}},
		{"source", "What the file calls itself; what it declares is known as declared by that. Left out: " +
			DefaultSource + ".", &shape{kind: text}},
		{"groups", "Groups of people.", &shape{kind: list, of: shapeOf(reflect.TypeFor[groupItem]())}},
		{"clients", "Apps, with the names of RFC 7591.", &shape{kind: list, of: clientShape()}},
		{"apis", "APIs that access tokens are for.", &shape{kind: list, of: shapeOf(reflect.TypeFor[API]())}},
		{"providers", "Providers upstream that people sign in with.",
			&shape{kind: list, of: withSecret(shapeOf(reflect.TypeFor[providerItem]()))}},
	}}
})

// clientShape is what can be said of an app.
func clientShape() *shape {
	s := &shape{kind: object, members: []member{{"client_id", "The app's id.", &shape{kind: text}}}}
	for _, m := range clients.Shapes() {
		one := &shape{kind: text}
		switch m.Kind {
		case "boolean":
			one.kind = truth
		case "strings":
			one = &shape{kind: list, of: one}
		case "object":
			one.kind = whole
		}
		words := ""
		if m.Name == memberAccess {
			one.either = &shape{kind: list, of: &shape{kind: text}}
			words = "Who may use the app: everyone, or a list of groups by their slugs."
		}
		s.members = append(s.members, member{m.Name, words, one})
	}
	return withSecret(s)
}

// withSecret adds the members that say where a client secret is.
func withSecret(s *shape) *shape {
	s.members = append(s.members,
		member{memberSecretFile, "The file that holds the secret.", &shape{kind: text}},
		member{memberSecretEnv, "The environment variable that holds the secret.", &shape{kind: text}},
		member{memberSecret, "The secret itself. It has no place in a file, only in a call of the management API.",
			&shape{kind: text}},
	)
	return s
}

// shapeOf is the shape of what is decoded into a type, by its json tags. A tag words says what a member is.
func shapeOf(t reflect.Type) *shape {
	switch t.Kind() {
	case reflect.Bool:
		return &shape{kind: truth}
	case reflect.Int64:
		return &shape{kind: number}
	case reflect.Slice:
		return &shape{kind: list, of: shapeOf(t.Elem())}
	case reflect.Map:
		return &shape{kind: table, of: shapeOf(t.Elem())}
	case reflect.Struct:
		s := &shape{kind: object}
		for i := range t.NumField() {
			field := t.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			s.members = append(s.members, member{name, field.Tag.Get("words"), shapeOf(field.Type)})
		}
		return s
	}
	return &shape{kind: text}
}

// name is what a shape is called where something else stands in its place.
func (s *shape) name() string {
	switch s.kind {
	case truth:
		return "true or false"
	case number:
		return "a whole number"
	case list:
		return "a list"
	case object, table, whole:
		return "an object: names with values"
	}
	return "text; what looks like a number or a truth value stands in quotes"
}
