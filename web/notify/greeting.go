package notify

import (
	"strings"
	"unicode"

	"github.com/wicket-id/wicket/web/locales"
)

// greeting is how an email begins. Whoever signs up with somebody else's address chooses the name by which we greet
// them there, so a name that could be taken for a link is left out.
func greeting(language *locales.Language, person string) string {
	if person == "" || readsAsLink(person) {
		return language.Text("email.greeting_nameless")
	}
	return language.Text("email.greeting", locales.Params{"Person": person})
}

// dots are what may separate the labels of a domain name: UTS 46, section 2.3.
const dots = ".。．｡"

// readsAsLink tells whether a mail program, or a person, could take a name for an address: it has what only addresses
// have, or a dot between letters or digits, as in evil.example. Some who are called ada.lovelace are greeted without
// their name, for which words are top-level domains changes by the month.
func readsAsLink(name string) bool {
	if strings.ContainsAny(name, `/\:@`) {
		return true
	}
	before := ' '
	runes := []rune(name)
	for i, r := range runes[:max(0, len(runes)-1)] {
		if strings.ContainsRune(dots, r) && isLabel(before) && isLabel(runes[i+1]) {
			return true
		}
		before = r
	}
	return false
}

func isLabel(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '-'
}
