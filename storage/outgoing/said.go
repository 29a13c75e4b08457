package outgoing

import (
	"net/url"
	"strings"
	"unicode"
)

// Said is what a receiver or the network says, in so far as it can be kept and printed: at most so many bytes of it, in
// one line.
func Said(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// HostOf is the host of a URL, which alone is for logs: what follows may be a secret.
func HostOf(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return parsed.Host
}
