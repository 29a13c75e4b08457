package importing

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// A line is read as the person that it is written down as again, or refused without a value of it being repeated.
func FuzzImportLine(f *testing.F) {
	for _, line := range []string{
		"", "{}", "[]", "null", `"x"`, "{", `{"username":"alice"}`, `{"username":"alice"}{}`, `{"username":7}`, `{"usernam":"alice"}`,
		`{"username":"ada","password_hash":"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW","is_active":false,"created_at":"2019-03-01T12:00:00Z","emails":[{"address":"a@example.com","verified":true,"primary":true}],"phones":[{"number":"+4930123456"}],"roles":["admin"],"address":{"locality":"London"},"name":"Ada"}`,
		`{"password_hash":["$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"]}`, `{"created_at":"hush-hush"}`, `{"created_at":7}`,
		`{"created_at":"2019-03-01T12:00:00+99:00"}`, `{"emails":{"address":"hush-hush"}}`, `{"emails":[{"adress":"x"}]}`, `{"is_active":"hush-hush"}`, `{"username":"\u0000"}`,
		`{"username":"\ud800"}`, `{"USERNAME":"a","username":"b"}`, "{\"username\":\"\xff\"}", `{"roles":[1e999]}`, `{"address":"hush-hush"}`, "\ufeff{}",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		line, length, err := readLine(bufio.NewReaderSize(bytes.NewReader(text), maxLine))
		if err != nil && !errors.Is(err, io.EOF) || length > len(text) ||
			line == nil && 0 < length && length <= maxLine {
			t.Fatalf("%q: a line of %d, %v", text, length, err)
		}
		var read personLine
		if err := read.read(line); err != nil {
			var why refused
			if !errors.As(err, &why) || !utf8.ValidString(err.Error()) {
				t.Fatalf("%q: %v", line, err)
			}
			for _, value := range valuesOf(line) {
				if len(value) > 8 && strings.Contains(err.Error(), value) && !strings.Contains(err.Error(), "unknown field") {
					t.Fatalf("%q: the value %q is repeated: %v", line, value, err)
				}
			}
			return
		}
		written, err := json.Marshal(read)
		if err != nil {
			if read.CreatedAt.Year() > 9999 || strings.Contains(err.Error(), "Time.MarshalJSON") {
				return // which no person's is
			}
			t.Fatalf("%q: %v", line, err)
		}
		var again personLine
		if err := again.read(written); err != nil {
			t.Fatalf("%q is written as %s, and refused: %v", line, written, err)
		}
		was, is := read.person(true), again.person(true)
		if !was.CreatedAt.Equal(is.CreatedAt) {
			t.Fatalf("%q is written as %s", line, written)
		}
		was.CreatedAt = is.CreatedAt
		if len(was.Roles) == 0 && len(is.Roles) == 0 {
			was.Roles, is.Roles = nil, nil
		}
		if !reflect.DeepEqual(was, is) {
			t.Fatalf("%q is %+v, and %s is %+v", line, was, written, is)
		}
	})
}

// valuesOf are the texts in a line of JSON, but for the names of its fields.
func valuesOf(line []byte) (texts []string) {
	var root any
	if json.Unmarshal(line, &root) != nil {
		return nil
	}
	var walk func(value any)
	walk = func(value any) {
		switch value := value.(type) {
		case string:
			texts = append(texts, value)
		case []any:
			for _, each := range value {
				walk(each)
			}
		case map[string]any:
			for _, each := range value {
				walk(each)
			}
		}
	}
	walk(root)
	return texts
}
