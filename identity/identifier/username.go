package identifier

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"golang.org/x/text/secure/precis"

	"github.com/wicket-id/wicket/identity/refusal"
)

// What can be wrong with a username.
var (
	ErrUsernameInvalid = refusal.New(
		"username.invalid", "a username has 1 to 100 letters, digits or marks such as . _ - and neither spaces nor @ / :",
	)
	// ErrUsernameReserved says that others would take a name for that of who runs the service.
	ErrUsernameReserved = refusal.New("username.reserved", "this username is reserved")
	// ErrUsernameNumber says that a name would be taken for what is another person's.
	ErrUsernameNumber = refusal.New("username.number", "a username is neither a phone number nor an id")
	// ErrUsernameScripts says that a name mixes letters of several scripts, which look alike.
	ErrUsernameScripts = refusal.New("username.scripts", "a username has letters of one script alone, such as Latin or Greek")
)

const maxUsername = 100

// UsernameKey is the username as it is compared: the PRECIS profile UsernameCaseMapped (RFC 8265), so that neither case
// nor width nor composition makes two names out of one. A name with an @ is refused: it would read as an e-mail
// address.
func UsernameKey(username string) (string, error) {
	key, err := precis.UsernameCaseMapped.String(username)
	if err != nil || key == "" || utf8.RuneCountInString(key) > maxUsername || strings.ContainsRune(key, '@') {
		return "", ErrUsernameInvalid
	}
	return key, nil
}

// reservedUsernames are the names by which a service, or who runs it, is called.
var reservedUsernames = []string{
	"abuse", "account", "admin", "administrator", "anonymous", "api", "help", "helpdesk", "hostmaster", "info", "me",
	"moderator", "no-reply", "nobody", "noreply", "null", "official", "operator", "owner", "postmaster", "root", "security",
	"self", "staff", "superuser", "support", "sysadmin", "system", "undefined", "webmaster", "wicket",
}

// NewUsernameKey is the key of a username that somebody chooses now. Names of earlier versions may be such that it
// refuses them. It returns ErrUsernameInvalid, ErrUsernameReserved, ErrUsernameNumber or ErrUsernameScripts.
func NewUsernameKey(username string) (string, error) {
	key, err := UsernameKey(username)
	if err != nil {
		return "", err
	}
	_, notPhone := PhoneNumber(key)
	_, notID := uuid.Parse(key)
	switch {
	// A slash or a colon would be read as a path or a URL, a hyphen at the beginning as an option of a command.
	case strings.ContainsAny(key, "/:") || strings.HasPrefix(key, "-") || strings.Trim(key, ".") == "":
		return "", ErrUsernameInvalid
	case notPhone == nil || notID == nil:
		return "", ErrUsernameNumber
	case slices.Contains(reservedUsernames, key):
		return "", ErrUsernameReserved
	case !isOfOneScript(key):
		return "", ErrUsernameScripts
	}
	return key, nil
}

// writtenTogether are scripts of which one text has several: those of Japanese, Chinese and Korean.
var writtenTogether = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Han, unicode.Bopomofo},
	{unicode.Han, unicode.Hangul},
}

// isOfOneScript tells whether all letters of a name are of one script, or of scripts that are written together (UTS 39,
// section 5.1). Digits, marks and what all scripts share do not count.
func isOfOneScript(name string) bool {
	var letters []rune
	for _, r := range name {
		if !unicode.In(r, unicode.Common, unicode.Inherited) {
			letters = append(letters, r)
		}
	}
	within := func(tables []*unicode.RangeTable) bool {
		return !slices.ContainsFunc(letters, func(r rune) bool { return !unicode.In(r, tables...) })
	}
	if len(letters) == 0 || slices.ContainsFunc(writtenTogether, within) {
		return true
	}
	for _, script := range unicode.Scripts {
		if unicode.Is(script, letters[0]) {
			return within([]*unicode.RangeTable{script})
		}
	}
	return false
}
