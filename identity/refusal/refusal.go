// Package refusal is the errors that people are told: a code with parameters. The words are in web/locales, by the
// code; what an error says here is for logs and commands. Begin with New.
package refusal

import "errors"

// Error is such an error. Two with the same code are the same to errors.Is, whatever their parameters.
type Error struct {
	Code   string // noun and fault: "email.taken"
	Params Params
	text   string
}

// Params are the parameters of an error, by the names that the words use.
type Params map[string]any

// New makes an error without parameters. Text is technical English, without a capital and a full stop.
func New(code, text string) *Error { return &Error{Code: code, text: text} }

// NewWith makes an error with parameters.
func NewWith(code, text string, params Params) *Error {
	return &Error{Code: code, Params: params, text: text}
}

// Error is the text for logs and commands.
func (e *Error) Error() string { return e.text }

// Is tells whether target has the same code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// OneOf returns the first of known that err is, without what err was wrapped with on its way, which is not for people.
// It returns nil where err is none of them.
func OneOf(err error, known ...error) error {
	for _, candidate := range known {
		if errors.Is(err, candidate) {
			return candidate
		}
	}
	return nil
}
