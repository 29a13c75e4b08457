package demo

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A name of elsewhere that leads to this machine reaches nothing.
func TestDevAnswersAtLocalhostAlone(t *testing.T) {
	handler := onLoopback(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost:8080": 200, "localhost": 200, "127.0.0.1:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "[::1]": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example:8080": 421, "192.168.1.2:8080": 421, "": 421,
		"127.0.0.1.evil.example": 421,
	} {
		request := httptest.NewRequest(http.MethodGet, "/dev/outbox", nil)
		request.Host = host
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != want {
			t.Errorf("%q: %d, want %d", host, recorder.Code, want)
		}
	}
}
