package harness

import (
	"html"
	"io"
	"net/http"
	"regexp"
	"testing"
)

// Page is what a browser shows.
type Page struct {
	*http.Response
	Text string
}

// ReadPage reads the whole of a response.
func ReadPage(t testing.TB, response *http.Response, err error) Page {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Page{response, string(body)}
}

// Send sends one request as it is, without cookies, and follows no redirect.
func (h *Server) Send(t testing.TB, request *http.Request) Page {
	t.Helper()
	transport := h.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	response, err := transport.RoundTrip(request)
	return ReadPage(t, response, err)
}

var (
	hiddenThen     = regexp.MustCompile(`name="then" value="([^"]*)"`)
	hiddenContinue = regexp.MustCompile(`name="continue" value="([^"]*)"`)
	// HiddenToken finds the token of a mailed link on the page that the link leads to.
	HiddenToken = regexp.MustCompile(`name="token" value="([^"]*)"`)
)

// Continue returns the hidden field continue of a page.
func (p Page) Continue() string {
	if match := hiddenContinue.FindStringSubmatch(p.Text); match != nil {
		return match[1]
	}
	return ""
}

// Then returns the hidden field then of a page.
func (p Page) Then() string {
	if match := hiddenThen.FindStringSubmatch(p.Text); match != nil {
		return html.UnescapeString(match[1])
	}
	return ""
}

// Attributes returns what an attribute says in each element of a kind that has it.
func (p Page) Attributes(element, attribute string) (values []string) {
	pattern := regexp.MustCompile("<" + element + `\b[^>]*\s` + attribute + `="([^"]*)"`)
	for _, match := range pattern.FindAllStringSubmatch(p.Text, -1) {
		values = append(values, html.UnescapeString(match[1]))
	}
	return values
}

// Path tells where a page is.
func (p Page) Path() string { return p.Request.URL.Path }
