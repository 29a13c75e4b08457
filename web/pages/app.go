package pages

import (
	"unicode"
	"unicode/utf8"
)

// App is the application that a page speaks of. All its addresses may be empty;
// LogoURI is an https address or empty, and without one the app is shown by the
// first letter of its name.
type App struct {
	Name      string
	LogoURI   string
	HomeURI   string
	PolicyURI string
	TermsURI  string
}

// Monogram is the first letter or digit of the app's name, in upper case.
func (a App) Monogram() string { return initial(a.Name) }

// initial is the first letter or digit of s in upper case, or "" if it has none.
func initial(s string) string {
	for _, r := range s {
		if r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return string(unicode.ToUpper(r))
		}
	}
	return ""
}
