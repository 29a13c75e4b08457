package management

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/manage"
)

// caller calls the management API of a server with a key or a token.
type caller struct {
	*harness.Server

	token string
}

// keyFor makes a key with an administrative role, as an operator.
func keyFor(t *testing.T, h *harness.Server, role string, change ...func(*manage.NewAPIKey)) caller {
	t.Helper()
	wanted := manage.NewAPIKey{Name: role, Role: role, ExpiresAt: time.Now().Add(time.Hour)}
	for _, change := range change {
		change(&wanted)
	}
	key, err := h.Manage.CreateKey(t.Context(), manage.Operator("operator:test"), wanted)
	if err != nil {
		t.Fatal(err)
	}
	return caller{h, key.Key}
}

// answer is what the API answered.
type answer struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any
}

// code is the code of a problem.
func (a answer) code() string { code, _ := a.JSON["code"].(string); return code }

// call sends a request; body is sent as JSON unless it is nil. headers are names and values by turns.
func (c caller) call(t *testing.T, method, path string, body any, headers ...string) answer {
	t.Helper()
	var sent io.Reader
	if raw, ok := body.(string); ok {
		sent = strings.NewReader(raw)
	} else if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.Issuer+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := (&http.Client{Transport: c.Transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{Status: response.StatusCode, Header: response.Header, Text: string(text)}
	if len(text) > 0 && json.Unmarshal(text, &got.JSON) != nil {
		t.Fatalf("%s %s: not JSON: %s", method, path, text)
	}
	return got
}

// must is call that fails the test where the status is another.
func (c caller) must(t *testing.T, status int, method, path string, body any, headers ...string) answer {
	t.Helper()
	got := c.call(t, method, path, body, headers...)
	if got.Status != status {
		t.Fatalf("%s %s: %d instead of %d: %s", method, path, got.Status, status, got.Text)
	}
	return got
}
