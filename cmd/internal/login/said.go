package login

import (
	"io"
	"net/http"
	"strconv"
	"strings"
)

// How many characters of a server's are printed at the most: of a name, and of an error with our own words about it.
const (
	maxName  = 200
	maxError = 400
)

// said is what a server says, as a terminal may show it: what cannot be printed is quoted, and what is too long is cut.
// A terminal obeys what it is sent.
func said(text string, most int) string {
	var shown strings.Builder
	n := 0
	for _, r := range text {
		if n == most {
			return shown.String() + "..."
		}
		if n++; strconv.IsPrint(r) {
			shown.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			shown.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return shown.String()
}

// saidError is an error that may hold what a server has said.
type saidError struct{ error }

// Error is the text for a terminal.
func (e saidError) Error() string { return said(e.error.Error(), maxError) }

// Unwrap returns the error.
func (e saidError) Unwrap() error { return e.error }

// fromServer makes an error one that a terminal may show.
func fromServer(err error) error {
	if err == nil {
		return nil
	}
	return saidError{err}
}

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 1 << 20

// bounded reads no answer to its end that has none.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, maxAnswer), response.Body}
	return response, nil
}
