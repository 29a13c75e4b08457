package pages

import (
	"errors"
	"html/template"
)

// FormPost hands an authorization response to an app by a form that sends
// itself (OAuth 2.0 Form Post Response Mode, section 2).
type FormPost struct {
	Action string // the redirect_uri, already matched with the client's registration
	Fields []Field
}

// Field is one parameter of the response.
type Field struct {
	Name  string
	Value string
}

// Target is Action as the address of a form, whatever its scheme. It fails on
// an address that no app can have, so that nothing is sent to the wrong place.
func (f FormPost) Target() (template.URL, error) {
	target := redirect(f.Action)
	if target == "" {
		return "", errors.New("the action is not an address of an app")
	}
	return target, nil
}

func (FormPost) Template() (Templates, string) { return templates, "formpost.html" }
