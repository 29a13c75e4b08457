package notify

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/locales"
)

// kind is what is the same in all emails of a name. The words are "email.NAME.subject" and "email.NAME.text".
type kind struct {
	path   string      // where the link leads; "" where there is none
	action locales.Key // what its button says
	values []string    // of the message: the parameters of its text

	// The address may be anybody's, so that the email holds nothing that whoever gave it has written: no name.
	unproved bool
}

// kinds are the emails that there are, by name.
var kinds = map[string]kind{
	identity.MessageInvitation: {
		path: "/register", action: locales.Key("email.action.invitation"), values: []string{"until"}, unproved: true,
	},
	identity.MessageVerifyEmail: {
		path: "/verify-email", action: locales.Key("email.action.verify_email"), unproved: true,
	},
	identity.MessageResetPassword: {
		path: "/reset-password", action: locales.Key("email.action.reset_password"), values: origin,
	},
	identity.MessageLocked: {path: "/unlock", action: locales.Key("email.action.locked"), values: origin},

	identity.MessageFactorAdded:      notMe("factor", "ip", "device"),
	identity.MessageFactorRemoved:    notMe("factor", "ip", "device"),
	identity.MessageBackupCodesMade:  notMe(origin...),
	identity.MessageBackupCodeUsed:   notMe("left", "ip", "device"),
	identity.MessageFactorsKept:      notMe("factors", "ip", "device"),
	identity.MessageKeyCloned:        notMe("name", "ip", "device"),
	identity.MessageNewSignIn:        notMe("time", "ip", "device"),
	identity.MessageDeviceConnected:  notMe("time", "app", "ip"),
	identity.MessagePasswordChanged:  notMe(origin...),
	identity.MessageEmailAdded:       notMe("address"),
	identity.MessageEmailsChanged:    notMe(),
	identity.MessagePhoneAdded:       notMe("number"),
	identity.MessageAccountLinked:    notMe("account", "provider"),
	identity.MessageErasure:          {values: []string{"date"}},
	identity.MessageErasureCancelled: notMe(origin...),
	identity.MessageFactorsReset:     {},
	identity.MessageFactorsDisowned:  {values: []string{"factors", "time"}},
	identity.MessageDisownedRemoved:  {values: []string{"factors"}},
	identity.MessageWaysRemoved:      {values: []string{"factors"}},
	identity.MessageWebhookDisabled:  {values: []string{"webhook", "host", "reason"}},
}

var origin = []string{"ip", "device"}

// notMe is the kind of an email by whose link its reader takes back what somebody else did.
func notMe(values ...string) kind {
	return kind{path: "/not-me", action: locales.Key("email.action.not_me"), values: values}
}

// languageOf decides in which language a message is written.
func languageOf(identity.Message) *locales.Language { return locales.English }

// writeEmail writes the email of a message.
func writeEmail(issuer string, message identity.Message, secret string) (Email, error) {
	kind, ok := kinds[message.Name]
	if !ok {
		return Email{}, fmt.Errorf("message %q: %w", message.Name, errUnknownMessage)
	}
	language := languageOf(message)
	params := locales.Params{"Host": strings.TrimPrefix(strings.TrimPrefix(issuer, "https://"), "http://")}
	for _, name := range kind.values {
		params[name] = valueText(language, name, message.Values)
	}
	person := message.Person
	if kind.unproved {
		person = ""
	}
	key := locales.Key("email." + message.Name)
	email := Email{
		To: message.To, Subject: language.Text(key+".subject", params),
		Text: greeting(language, person) + "\n\n" + language.Text(key+".text", params),
	}
	view := emailView{
		Language: language.Tag(), Subject: email.Subject, Paragraphs: strings.Split(email.Text, "\n\n"), Issuer: issuer,
	}
	if kind.path != "" && secret != "" {
		view.Action, view.Help = language.Text(kind.action), language.Text("email.button")
		view.Link = issuer + kind.path + "?" + url.Values{"token": {secret}}.Encode()
		email.Text += "\n\n" + view.Action + ":\n" + view.Link
	}
	email.Text += "\n\n--\n" + language.Text("email.footer", locales.Params{"Issuer": issuer}) + "\n"
	var out bytes.Buffer
	if err := emailLayout.Execute(&out, view); err != nil {
		return Email{}, fmt.Errorf("message %q: %w", message.Name, err)
	}
	email.HTML = out.String()
	return email, nil
}

// emailView is what the HTML part is made of: the text in a layout, so the two always say the same.
type emailView struct {
	Language     string
	Subject      string
	Paragraphs   []string
	Link, Action string // "" where there is no link
	Help         string // for programs in which the button does not work
	Issuer       string
}

// The layout has its styles in the elements, as mail programs want them.
//
//go:embed layout.html
var emailLayoutSource string

var emailLayout = template.Must(template.New("layout.html").Parse(emailLayoutSource))
