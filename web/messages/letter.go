package messages

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

// letters holds one template for each message, in which "subject", "text" and, for the button, "action" are defined. The
// HTML part is the text in a frame, so the two always say the same.
//
//go:embed letters
var letters embed.FS

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

type letterView struct {
	Person string
	Issuer string
	Host   string
	Link   string
	Values map[string]string
}

// write writes the letter of a message.
func write(issuer string, message identity.Message, secret string) (Letter, error) {
	name := "letters/" + message.Name + ".txt"
	source, err := letters.ReadFile(name)
	if err != nil {
		return Letter{}, fmt.Errorf("message %q: %w", message.Name, errUnknownMessage)
	}
	template, err := texttemplate.New(name).Option("missingkey=zero").Parse(string(source))
	if err != nil {
		return Letter{}, fmt.Errorf("message %q: %w", message.Name, err)
	}
	view := letterView{Person: message.Person, Issuer: issuer, Host: strings.TrimPrefix(strings.TrimPrefix(issuer, "https://"), "http://"), Values: message.Values}
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
	letter := Letter{To: message.To, Subject: part("subject"), Text: part("text")}
	action := part("action")
	if err != nil {
		return Letter{}, fmt.Errorf("message %q: %w", message.Name, err)
	}
	letter.HTML, err = frame(letter, view, action)
	if view.Link != "" {
		letter.Text += "\n\n" + action + ":\n" + view.Link
	}
	letter.Text += "\n\n--\nWicket at " + issuer + "\n"
	return letter, err
}

// frame sets the text of a letter as HTML. Mail programs want styles in the elements.
func frame(letter Letter, view letterView, action string) (string, error) {
	var out bytes.Buffer
	err := frameTemplate.Execute(&out, struct {
		Letter
		Paragraphs           []string
		Link, Action, Issuer string
	}{letter, strings.Split(letter.Text, "\n\n"), view.Link, action, view.Issuer})
	return out.String(), err
}

var frameTemplate = htmltemplate.Must(htmltemplate.ParseFS(letters, "letters/frame.html"))
