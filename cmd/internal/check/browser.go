package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"github.com/wicket-id/wicket/web"
)

// browser is the browser of a check: it keeps cookies, follows redirects as far as the issuer's own pages go, and
// presses buttons.
type browser struct {
	http.Client
	issuer string
}

// newBrowser returns a browser that visits issuer, at the address through where that is not empty.
func newBrowser(issuer, through, redirectURI string) (*browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &browser{issuer: issuer, Client: http.Client{Jar: jar, Transport: http.DefaultTransport}}
	b.CheckRedirect = func(r *http.Request, before []*http.Request) error {
		switch to := r.URL.String(); {
		case !strings.HasPrefix(to, issuer+"/") || strings.HasPrefix(to, redirectURI):
			return http.ErrUseLastResponse
		case len(before) > 10:
			return errors.New("too many redirects")
		}
		return nil
	}
	if through != "" {
		to, err := url.Parse(through)
		if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return nil, fmt.Errorf("%w: %q", ErrThrough, through)
		}
		b.Transport = detour{to}
	}
	return b, nil
}

// detour sends requests to another address than the one that they name, as a reverse proxy does: cookies, redirects and
// the Host header stay those of the public address.
type detour struct{ to *url.URL }

// RoundTrip sends the request there.
func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if sent.Host == "" {
		sent.Host = r.URL.Host
	}
	sent.URL.Scheme, sent.URL.Host = d.to.Scheme, d.to.Host
	response, err := http.DefaultTransport.RoundTrip(sent)
	if err == nil {
		response.Request = r // or links on the page would lead there, too
	}
	return response, err
}

// shownPage is what the browser shows.
type shownPage struct {
	*http.Response
	body string
	root *html.Node
}

const maxShownPage = 1 << 20

func (b *browser) get(ctx context.Context, to string) (shownPage, error) {
	return b.getAs(ctx, to, "")
}

// getAs is get that shows a web.OperatorProof, if there is one.
func (b *browser) getAs(ctx context.Context, to, proof string) (shownPage, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return shownPage{}, err
	}
	if proof != "" {
		request.Header.Set(web.OperatorHeader, proof)
	}
	return b.show(request)
}

// press presses a button, with what was filled in before besides what the form holds.
func (b *browser) press(
	ctx context.Context, shown shownPage, button string, filled url.Values,
) (shownPage, error) {
	pressed := find(shown.root, func(n *html.Node) bool { return attribute(n, "id") == button })
	form := pressed
	for form != nil && form.Data != "form" {
		form = form.Parent
	}
	if form == nil {
		return shownPage{}, fmt.Errorf("the button %q belongs to no form", button)
	}
	values := url.Values{}
	find(form, func(n *html.Node) bool {
		if n.Data == "input" && attribute(n, "name") != "" && (attribute(n, "type") != "checkbox" || has(n, "checked")) {
			values.Add(attribute(n, "name"), attribute(n, "value"))
		}
		return false
	})
	for name, value := range filled {
		values[name] = value
	}
	if name := attribute(pressed, "name"); name != "" {
		values.Set(name, attribute(pressed, "value"))
	}
	to, err := shown.Request.URL.Parse(attribute(form, "action"))
	if err != nil {
		return shownPage{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(values.Encode()))
	if err != nil {
		return shownPage{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.issuer)
	return b.show(request)
}

func (b *browser) show(request *http.Request) (shownPage, error) {
	request.Header.Set("User-Agent", "wicket-check")
	response, err := b.Do(request)
	if err != nil {
		return shownPage{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxShownPage))
	if err != nil {
		return shownPage{}, err
	}
	root, err := html.Parse(strings.NewReader(string(body)))
	return shownPage{response, string(body), root}, err
}

// has tells whether the page has an element with that id.
func (p shownPage) has(id string) bool {
	return find(p.root, func(n *html.Node) bool { return attribute(n, "id") == id }) != nil
}

// heading says what page it is, for whoever reads why the check failed: what went wrong, or its heading, or its status.
func (p shownPage) heading() string {
	for _, is := range []func(*html.Node) bool{
		func(n *html.Node) bool { return attribute(n, "id") == "failure" },
		func(n *html.Node) bool { return n.Data == "h1" },
	} {
		if found := find(p.root, is); found != nil {
			var text strings.Builder
			find(found, func(n *html.Node) bool {
				if n.Type == html.TextNode {
					text.WriteString(n.Data)
				}
				return false
			})
			return strings.Join(strings.Fields(text.String()), " ")
		}
	}
	return p.Status
}

// find returns the first node in document order that is what is looked for, or nil.
func find(n *html.Node, is func(*html.Node) bool) *html.Node {
	if is(n) {
		return n
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		if found := find(child, is); found != nil {
			return found
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
