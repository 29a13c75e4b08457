package notify

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"

	"github.com/wicket-id/wicket/identity"
)

// emailTemplates holds one template for each message, in which "subject", "text" and, for the button, "action" are
// defined. The HTML part is the text in a layout, so the two always say the same.
//
//go:embed emails
var emailTemplates embed.FS

// Where the link of a message leads.
var paths = map[string]string{
	identity.MessageInvitation:      "/register",
	identity.MessageVerifyEmail:     "/verify-email",
	identity.MessageResetPassword:   "/reset-password",
	identity.MessageLocked:          "/unlock",
	identity.MessageFactorAdded:     "/not-me",
	identity.MessageFactorRemoved:   "/not-me",
	identity.MessageBackupCodesMade: "/not-me",
	identity.MessageBackupCodeUsed:  "/not-me",
	identity.MessageKeyCloned:       "/not-me",
	identity.MessageNewSignIn:       "/not-me",
	identity.MessagePasswordChanged: "/not-me",
	identity.MessageEmailAdded:      "/not-me",
	identity.MessageEmailsChanged:   "/not-me",
	identity.MessagePhoneAdded:      "/not-me",
	identity.MessageAccountLinked:   "/not-me",
}

type emailView struct {
	Person string
	Issuer string
	Host   string
	Link   string
	Values map[string]string
}

// writeEmail writes the email of a message.
func writeEmail(issuer string, message identity.Message, secret string) (Email, error) {
	name := "emails/" + message.Name + ".txt"
	source, err := emailTemplates.ReadFile(name)
	if err != nil {
		return Email{}, fmt.Errorf("message %q: %w", message.Name, errUnknownMessage)
	}
	template, err := texttemplate.New(name).Option("missingkey=zero").Parse(string(source))
	if err != nil {
		return Email{}, fmt.Errorf("message %q: %w", message.Name, err)
	}
	view := emailView{
		Person: message.Person, Issuer: issuer, Host: strings.TrimPrefix(strings.TrimPrefix(issuer, "https://"), "http://"),
		Values: message.Values,
	}
	if path := paths[message.Name]; path != "" && secret != "" {
		view.Link = issuer + path + "?" + url.Values{"token": {secret}}.Encode()
	}
	part := func(name string) string {
		var out bytes.Buffer
		if err == nil && template.Lookup(name) != nil {
			err = template.ExecuteTemplate(&out, name, view)
		}
		return strings.TrimSpace(out.String())
	}
	email := Email{To: message.To, Subject: part("subject"), Text: part("text")}
	action := part("action")
	if err != nil {
		return Email{}, fmt.Errorf("message %q: %w", message.Name, err)
	}
	email.HTML, err = emailHTML(email, view, action)
	if view.Link != "" {
		email.Text += "\n\n" + action + ":\n" + view.Link
	}
	email.Text += "\n\n--\nWicket at " + issuer + "\n"
	return email, err
}

// emailHTML sets the text of an email as HTML. Mail programs want styles in the elements.
func emailHTML(email Email, view emailView, action string) (string, error) {
	var out bytes.Buffer
	err := emailLayout.Execute(&out, struct {
		Email
		Paragraphs           []string
		Link, Action, Issuer string
	}{email, strings.Split(email.Text, "\n\n"), view.Link, action, view.Issuer})
	return out.String(), err
}

var emailLayout = htmltemplate.Must(htmltemplate.ParseFS(emailTemplates, "emails/layout.html"))
