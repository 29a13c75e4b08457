package protocol

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
)

// isErrorText tells whether text is made of the characters that RFC 6749 allows in error_description.
func isErrorText(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) < 0
}

// postForm posts a form to an endpoint for apps and checks what every answer of one must keep to.
func postForm(t testing.TB, h *harness.Server, path, authorization string, form url.Values) harness.Answer {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	return answerOf(t, h, request)
}

func answerOf(t testing.TB, h *harness.Server, request *http.Request) harness.Answer {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	shown := harness.ReadPage(t, response, err)
	got := harness.Answer{Status: shown.StatusCode, Header: shown.Header}
	if shown.StatusCode >= 500 {
		t.Errorf("%s: %s", shown.Status, shown.Text)
	}
	if shown.Header.Get("Location") != "" || shown.Header.Get("Set-Cookie") != "" {
		t.Errorf(
			"an app is redirected to %q or given a cookie %q", shown.Header.Get("Location"), shown.Header.Get("Set-Cookie"),
		)
	}
	if cache := shown.Header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("%s: Cache-Control %q", request.URL.Path, cache)
	}
	if pragma := shown.Header.Get("Pragma"); pragma != "no-cache" {
		t.Errorf("%s: Pragma %q: RFC 6749, section 5.1", request.URL.Path, pragma)
	}
	if shown.Text == "" {
		return got
	}
	if kind := shown.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("%s: Content-Type %q", request.URL.Path, kind)
	}
	if err := json.Unmarshal([]byte(shown.Text), &got.JSON); err != nil {
		t.Errorf("%s: %v in %q", request.URL.Path, err, shown.Text)
	}
	if text := got.Text("error_description"); !isErrorText(text) {
		t.Errorf("error_description %q: RFC 6749, section 5.2", text)
	}
	if (got.Text("error") == "") != (got.Status < 400) {
		t.Errorf("%d with the error %q", got.Status, got.Text("error"))
	}
	return got
}
