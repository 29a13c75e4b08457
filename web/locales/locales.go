// Package locales holds the words that people read: of pages, of emails and text messages, and of the errors that they
// are told. There is one file for each language, en.toml for English, and one for the console, console.en.toml, in the
// format of go-i18n, which translators' tools know. A message has a key, such as "signin.title", and may have
// parameters, {{.App}}. One whose parameter Count chooses between singular and plural has a form for each.
//
// Begin with Language.Text. The words of an error are those of its code, under "error.". Tests find keys that are used
// and missing, or there and not used, and parameters that do not match; so that they can, a key is always written as a
// literal, and one that is kept for later as Key("...").
package locales

import (
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"

	"github.com/wicket-id/wicket/identity/refusal"
)

// Key names a message.
type Key string

// Params are the parameters of a message, by name. Count, an int, chooses its form.
type Params map[string]any

// Language is a language that there are messages in. It is read by many at once.
type Language struct {
	tag       string
	localizer *i18n.Localizer
	plain     map[Key]string // the messages without parameters, which most are: they take no time
}

//go:embed *.toml
var files embed.FS

// All is every language, by its tag (BCP 47). A fault in a file stops the program at its start.
var All = load(files)

// English is the language of everything so far.
var English = All["en"]

func load(from fs.FS) map[string]*Language {
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	names, err := fs.Glob(from, "*.toml")
	if err != nil {
		panic(err)
	}
	all := make(map[string]*Language, len(names))
	for _, name := range names {
		file, err := bundle.LoadMessageFileFS(from, name)
		if err != nil {
			panic(name + ": " + err.Error())
		}
		one := all[file.Tag.String()]
		if one == nil {
			one = &Language{tag: file.Tag.String(), plain: make(map[Key]string, len(file.Messages))}
			all[one.tag] = one
		}
		for _, message := range file.Messages {
			if message.One == "" && !strings.Contains(message.Other, "{{") {
				one.plain[Key(message.ID)] = message.Other
			}
		}
	}
	for tag, one := range all {
		one.localizer = i18n.NewLocalizer(bundle, tag)
	}
	return all
}

// Tag is the language's tag, for the attribute lang.
func (l *Language) Tag() string { return l.tag }

// Text is a message, with its parameters if it has any. A key that is missing here is read in English, and stands for
// itself where it is missing there too.
func (l *Language) Text(key Key, parameters ...Params) string {
	if text, ok := l.plain[key]; ok {
		return text
	}
	var params Params
	if len(parameters) > 0 {
		params = parameters[0]
	}
	// An error says that the language or the form is missing; what is there instead comes with it.
	text, _ := l.localizer.Localize(&i18n.LocalizeConfig{
		MessageID: string(key), TemplateData: params, PluralCount: params["Count"],
	})
	if text == "" {
		return string(key)
	}
	return text
}

// Markup is a message with elements of HTML in it. Its parameters are escaped.
func (l *Language) Markup(key Key, params Params) template.HTML {
	escaped := make(Params, len(params))
	for name, value := range params {
		if _, isCount := value.(int); !isCount {
			value = template.HTMLEscaper(value)
		}
		escaped[name] = value
	}
	return template.HTML(l.Text(key, escaped))
}

// Date is a day in words.
func (l *Language) Date(at time.Time) string {
	month := l.Text(months[at.Month()-1])
	return l.Text("date.day", Params{"Day": at.Day(), "Month": month, "Year": at.Year()})
}

// Moment is a day and the time of day, in UTC, in words.
func (l *Language) Moment(at time.Time) string {
	at = at.UTC()
	return l.Text("date.moment", Params{"Date": l.Date(at), "Time": at.Format("15:04")})
}

var months = [...]Key{
	Key("date.january"), Key("date.february"), Key("date.march"), Key("date.april"), Key("date.may"), Key("date.june"),
	Key("date.july"), Key("date.august"), Key("date.september"), Key("date.october"), Key("date.november"),
	Key("date.december"),
}

// TextOf is Text for templates: the parameters are pairs of a name and a value.
func (l *Language) TextOf(key Key, pairs ...any) (string, error) {
	params, err := paired(pairs)
	return l.Text(key, params), err
}

// MarkupOf is Markup for templates, likewise.
func (l *Language) MarkupOf(key Key, pairs ...any) (template.HTML, error) {
	params, err := paired(pairs)
	return l.Markup(key, params), err
}

func paired(pairs []any) (Params, error) {
	params := make(Params, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok || i+1 == len(pairs) {
			return nil, errPairs
		}
		params[name] = pairs[i+1]
	}
	return params, nil
}

var errPairs = errors.New("parameters must be pairs of a name and a value")

// Refusal is the sentence for the error with a code that err is or wraps. It returns "" where there is none: such an
// error is not for people.
func (l *Language) Refusal(err error) string {
	var refused *refusal.Error
	if !errors.As(err, &refused) {
		return ""
	}
	return l.Text("error."+Key(refused.Code), Params(refused.Params))
}

// Refusals are the sentences for the errors of the fields of a form.
func (l *Language) Refusals(faults map[string]error) map[string]string {
	said := make(map[string]string, len(faults))
	for name, err := range faults {
		said[name] = l.Refusal(err)
	}
	return said
}

// Failure is what a page says of an error with this code that is told by a page of its own.
func (l *Language) Failure(code string) (title, explanation, advice string) {
	key := "failure." + Key(code)
	return l.Text(key + ".title"), l.Text(key + ".explanation"), l.Text(key + ".advice")
}
