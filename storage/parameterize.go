package storage

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// bun writes arguments into the text, so that no two texts are alike, and nothing of one can be used for another. Here
// they are taken out again.

// statement is a statement whose literals are arguments, in their order: $1 and so on, or ?1. Each is a string, or
// bytes where it was a blob.
type statement struct {
	text string
	args []any
}

// What stands before the number of an argument.
const (
	postgresArgument = '$'
	sqliteArgument   = '?'
)

// maxArguments is how many arguments are taken out of one statement: those of bulk inserts come but once.
const maxArguments = 500

// parameterize takes the literals of texts and blobs out of statements that are separated by semicolons. ok is false
// for what bun does not write and this does not read: comments, dollar quotes, other prefixes, arguments that are out
// already.
func parameterize(query string, argument byte) (statements []statement, ok bool) {
	var text strings.Builder
	var args []any
	end := func() {
		if strings.TrimSpace(text.String()) != "" {
			statements = append(statements, statement{strings.TrimSpace(text.String()), args})
		}
		text.Reset()
		args = nil
	}
	take := func(arg any) {
		args = append(args, arg)
		text.WriteByte(argument)
		text.WriteString(strconv.Itoa(len(args)))
	}
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == ';':
			end()
		case c == '"':
			name, found := quoted(query[i:])
			if !found {
				return nil, false
			}
			text.WriteString(query[i : i+name])
			i += name - 1
		case c == '\'':
			literal, found := quoted(query[i:])
			if !found || isWord(before(query, i)) || len(args) == maxArguments {
				return nil, false
			}
			if isTypeName(query[:i]) {
				text.WriteString(query[i : i+literal])
			} else {
				take(strings.ReplaceAll(query[i+1:i+literal-1], "''", "'"))
			}
			i += literal - 1
		case c == 'X' && argument == sqliteArgument && strings.HasPrefix(query[i:], "X'") && !isWord(before(query, i)):
			literal, found := quoted(query[i+1:])
			if !found || len(args) == maxArguments {
				return nil, false
			}
			blob, err := hex.DecodeString(query[i+2 : i+literal])
			if err != nil {
				return nil, false
			}
			take(blob)
			i += literal
		case c == argument, c == '-' && strings.HasPrefix(query[i:], "--"), c == '/' && strings.HasPrefix(query[i:], "/*"):
			return nil, false
		default:
			text.WriteByte(c)
		}
	}
	end()
	return statements, len(statements) > 0
}

// quoted returns how long the quoted text is that s begins with, its quotes included: a quote in it is doubled.
func quoted(s string) (length int, found bool) {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1, true
	}
	return 0, false
}

// before returns what stands before a place in a text, and a space where nothing does.
func before(text string, place int) byte {
	if place == 0 {
		return ' '
	}
	return text[place-1]
}

func isWord(c byte) bool {
	return c == '_' || c == '&' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isTypeName tells whether a text, which stands before a literal, ends with the name of its type, as in
// INTERVAL '1 day': such a literal cannot be an argument.
func isTypeName(text string) bool {
	text = strings.TrimRight(text, " \n\t")
	word := text[strings.LastIndexFunc(text, func(r rune) bool { return r > 127 || !isWord(byte(r)) })+1:]
	switch strings.ToLower(word) {
	case "interval", "timestamp", "timestamptz", "date", "time":
		return true
	}
	return false
}

// isPlanned tells whether a statement is one that the database plans.
func (s statement) isPlanned() bool {
	for _, verb := range []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"} {
		if strings.HasPrefix(s.text, verb) {
			return true
		}
	}
	return false
}
