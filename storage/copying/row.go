package copying

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// row is a row of any table, the same whichever database it comes from: string, int64, bool, time.Time, []byte,
// document or nil, in the order of the table's columns.
type row []any

// canonical turns what a driver returned for a column into what a row holds.
func canonical(kind valueKind, value any) (any, error) {
	if octets, ok := value.([]byte); ok && kind != kindBytes {
		value = string(octets)
	}
	switch value := value.(type) {
	case nil:
		return nil, nil
	case []byte:
		return append([]byte{}, value...), nil // never nil, which would be NULL
	case time.Time:
		if kind == kindTime {
			return value.UTC().Truncate(time.Microsecond), nil
		}
	case bool:
		if kind == kindBoolean {
			return value, nil
		}
	case int64:
		switch kind {
		case kindInteger:
			return value, nil
		case kindBoolean:
			return value != 0, nil
		case kindJSON: // SQLite takes a document that is a number for one
			return newDocument(strconv.FormatInt(value, 10))
		}
	case float64:
		if kind == kindJSON {
			return newDocument(strconv.FormatFloat(value, 'g', -1, 64))
		}
	case string:
		switch kind {
		case kindText:
			return mended(value), nil
		case kindUUID:
			id, err := uuid.Parse(value)
			return id.String(), err
		case kindBytes:
			return []byte(value), nil
		case kindJSON:
			return newDocument(value)
		case kindTime:
			at, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", value) // as bun writes it
			if err != nil {
				at, err = time.Parse(time.RFC3339Nano, value)
			}
			return at.UTC().Truncate(time.Microsecond), err
		}
	}
	return nil, fmt.Errorf("a %T where a %s should be", value, kind)
}

// mended is a text that both databases can hold: PostgreSQL wants UTF-8 without zero bytes.
func mended(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}

// appendTo appends a row in a form in which two rows are equal if all of their values are.
func (r row) appendTo(b []byte) []byte {
	for _, value := range r {
		if value == nil {
			b = append(b, 0)
			continue
		}
		text := printed(value)
		b = binary.AppendUvarint(append(b, 1), uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

func printed(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case int64:
		return strconv.FormatInt(value, 10)
	case bool:
		return strconv.FormatBool(value)
	case time.Time:
		return value.Format(time.RFC3339Nano)
	case []byte:
		return hex.EncodeToString(value)
	case document:
		return value.compared
	}
	panic(fmt.Sprintf("no row holds a %T", value)) // canonical makes none
}

// arguments are the values as bun takes them.
func (r row) arguments() []any {
	values := make([]any, len(r))
	for i, value := range r {
		if text, ok := value.(document); ok {
			value = text.text
		}
		values[i] = value
	}
	return values
}

// keyOf is a row's key, in the order of the key's columns.
func (t *table) keyOf(r row) row {
	key := make(row, len(t.key))
	for i, name := range t.key {
		key[i] = r[t.position(name)]
	}
	return key
}

func (t *table) nameOf(r row) string {
	var parts []string
	for _, value := range t.keyOf(r) {
		parts = append(parts, printed(value))
	}
	return t.name + " " + strings.Join(parts, " ")
}

// compareKeys compares keys as the databases order them.
func compareKeys(a, b row) int {
	for i := range a {
		order := 0
		switch value := a[i].(type) {
		case int64:
			order = cmp.Compare(value, b[i].(int64))
		case time.Time:
			order = value.Compare(b[i].(time.Time))
		default: // texts, and octets in hexadecimal
			order = strings.Compare(printed(value), printed(b[i]))
		}
		if order != 0 {
			return order
		}
	}
	return 0
}
