package pages

import (
	"strings"
	"unicode"
)

// Person is who is signed in. All but Username may be empty.
type Person struct {
	Username string
	Name     string
	Email    string
	Picture  string // the path of one that they have uploaded, or ""
}

// Display is what to call the person: the name, or the username without one.
func (p Person) Display() string {
	if name := strings.TrimSpace(p.Name); name != "" {
		return name
	}
	return p.Username
}

// Account is what tells this account from another one of the same person: the
// e-mail address, or the username without one. It is empty when Display has
// already said it.
func (p Person) Account() string {
	account := p.Email
	if account == "" {
		account = p.Username
	}
	if account == p.Display() {
		return ""
	}
	return account
}

// Initials are the first letters of the first and of the last word of Display.
func (p Person) Initials() string {
	words := strings.FieldsFunc(p.Display(), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '’'
	})
	switch len(words) {
	case 0:
		return "?"
	case 1:
		return initial(words[0])
	}
	return initial(words[0]) + initial(words[len(words)-1])
}
