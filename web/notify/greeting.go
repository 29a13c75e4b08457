package notify

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wicket-id/wicket/web/locales"
)

// maxName is how many characters a name has at the most that somebody is greeted by: a longer one is a text.
const maxName = 40

// greeting is how an email begins. A name is whatever somebody chose who may not be the reader, such as whoever took
// over their account, so one that could be taken for a link or a text is left out.
func greeting(language *locales.Language, person string) string {
	if person == "" || utf8.RuneCountInString(person) > maxName || readsAsLink(person) {
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
