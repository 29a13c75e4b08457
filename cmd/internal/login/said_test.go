package login

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever a server says: a terminal is not told what to do, and memory has an end.
func TestWhatAServerSays(t *testing.T) {
	t.Parallel()
	const commands = "\x1b\x07\r\u202e\n"
	const evil = "]0;owned" + commands
	answers := map[string]http.HandlerFunc{
		"discovery is refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(evil + strings.Repeat("x", 5000)))
		},
		"discovery names another": func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": evil})
		},
		"discovery has no end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(strings.Repeat(" ", 1<<16)))
			}
		},
	}
	for name, answer := range answers {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		_, _, err := Store{Folder: t.TempDir()}.SignIn(t.Context(), server.URL, "app", nil, nil)
		if err == nil || strings.ContainsAny(err.Error(), commands) || len(err.Error()) > 600 {
			t.Errorf("%s: %q", name, err)
		}
	}
	if known := Name(map[string]any{"sub": evil}); strings.ContainsAny(known, commands) {
		t.Errorf("named %q", known)
	}
}
