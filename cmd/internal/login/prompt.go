package login

import (
	"fmt"
	"io"
	"time"
)

// Prompt is what a person is told to do: open a page, and compare the code there with this one.
type Prompt struct {
	URL       string // with the code in it
	PlainURL  string
	Code      string
	ExpiresAt time.Time
}

// Tell tells it, and opens the page where that is wanted.
func (p Prompt) Tell(out io.Writer, open bool) {
	_, _ = fmt.Fprintf(out,
		"Open this page, on any device, and check that it shows the code %s:\n\n  %s\n\nWaiting until %s ...\n",
		p.Code, p.URL, p.ExpiresAt.Local().Format(time.TimeOnly))
	if open {
		openBrowser(p.URL)
	}
}

// Name is what somebody is known by, of their claims, as a terminal may show it.
func Name(claims map[string]any) string {
	for _, name := range []string{"preferred_username", "email", "sub"} {
		if known, ok := claims[name].(string); ok && known != "" {
			return said(known, maxName)
		}
	}
	return ""
}
