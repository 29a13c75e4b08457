package copying

import (
	"strings"
	"testing"
)

// A name that PostgreSQL cannot keep is refused: without its zero byte it might be another's.
func TestNamesThatCannotBeKept(t *testing.T) {
	for text, refused := range map[string]bool{
		`{"a": 1, "a\u0000": 2}`:            true,
		`[{"deep": {"\u0000": "hunter2"}}]`: true,
		`{"a": "\u0000"}`:                   false,
		`{"a": 1, "b": [{}]}`:               false,
	} {
		_, err := newDocument(text)
		if (err != nil) != refused || err != nil && (!strings.Contains(err.Error(), "has the name") ||
			strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
