package sampleapp

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestSessionsAreBoundedAndExpire(t *testing.T) {
	now := time.Now()
	all := newSessions(true)
	all.now = func() time.Time { return now }
	begin := func() *http.Request {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		all.keep(w, r, &session{})
		r.AddCookie(w.Result().Cookies()[0])
		return r
	}
	first := begin()
	if c := first.Cookies()[0]; c.Name != "__Host-daybook" || all.of(first) == nil {
		t.Fatalf("cookie %v finds %v", c, all.of(first))
	}
	for range mostSessions {
		begin()
	}
	if all.of(first) != nil || len(all.byKey) != mostSessions || all.order.Len() != mostSessions {
		t.Errorf("%d sessions, want %d without the oldest", len(all.byKey), mostSessions)
	}
	last := begin()
	now = now.Add(sessionLife)
	if all.of(last) != nil {
		t.Error("an expired session is found")
	}
	if begin(); len(all.byKey) != 1 {
		t.Errorf("%d sessions kept after all expired, want 1", len(all.byKey))
	}
}

func TestAttempts(t *testing.T) {
	var s session
	now := time.Now()
	for _, state := range []string{"old", "1", "2", "3", "4", "5", "6", "7", "8"} {
		s.begin(attempt{state: state, begun: now})
	}
	for state, want := range map[string]bool{"old": false, "": false, "3": true, "8": true} {
		if _, ok := s.take(state, now); ok != want {
			t.Errorf("%q: %v, want %v", state, ok, want)
		}
	}
	if _, ok := s.take("3", now); ok {
		t.Error("taken twice")
	}
	if _, ok := s.take("4", now.Add(attemptLife)); ok {
		t.Error("taken after its time")
	}
}
