package sampleapp

import (
	"container/list"
	"crypto/rand"
	"net/http"
	"sync"
	"time"
)

const (
	sessionLife  = 12 * time.Hour
	mostSessions = 10_000
	attemptLife  = 15 * time.Minute
	mostAttempts = 8
)

// session is what Daybook remembers of one browser. It lives in memory: a restart signs everybody out of Daybook (and
// not out of Wicket, so signing in again is one click).
type session struct {
	refreshing sync.Mutex // held while a refresh token is on its way: it must be used once

	mu       sync.Mutex
	attempts []attempt // sign-ins under way, one per tab, oldest first
	visit    *visit    // nil: signed out
}

// attempt is one sign-in between /sign-in and /callback.
type attempt struct {
	state, nonce, verifier string
	begun                  time.Time
}

// begin remembers an attempt and forgets the oldest beyond mostAttempts.
func (s *session) begin(a attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts = append(s.attempts, a)
	if n := len(s.attempts) - mostAttempts; n > 0 {
		s.attempts = s.attempts[n:]
	}
}

// take returns the attempt with this state and forgets it, so that an answer works once.
func (s *session) take(state string, now time.Time) (attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.attempts {
		if state != "" && a.state == state {
			s.attempts = append(s.attempts[:i:i], s.attempts[i+1:]...)
			return a, now.Sub(a.begun) < attemptLife
		}
	}
	return attempt{}, false
}

func (s *session) current() *visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visit
}

func (s *session) set(v *visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.visit = v
}

// sessions are all sessions, found by the random key in the browser's cookie. All live equally long, so the order of
// birth is the order of expiry; beyond mostSessions the oldest goes.
type sessions struct {
	cookie http.Cookie
	now    func() time.Time

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *entry, oldest first
}

type entry struct {
	key     string
	session *session
	ends    time.Time
}

func newSessions(https bool) *sessions {
	c := http.Cookie{
		Name: "daybook", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(sessionLife.Seconds()),
	}
	if https {
		c.Name, c.Secure = "__Host-daybook", true
	}
	return &sessions{cookie: c, now: time.Now, byKey: map[string]*list.Element{}, order: list.New()}
}

// of returns the session of the browser that sent r, or nil.
func (s *sessions) of(r *http.Request) *session {
	c, err := r.Cookie(s.cookie.Name)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byKey[c.Value]; ok && s.now().Before(e.Value.(*entry).ends) {
		return e.Value.(*entry).session
	}
	return nil
}

// keep files the session under a new key and gives that key to the browser. A key from before somebody signed in is
// worth nothing afterwards.
func (s *sessions) keep(w http.ResponseWriter, r *http.Request, kept *session) {
	s.forget(r)
	e := &entry{key: rand.Text(), session: kept, ends: s.now().Add(sessionLife)}
	s.mu.Lock()
	s.byKey[e.key] = s.order.PushBack(e)
	for front := s.order.Front(); s.order.Len() > mostSessions ||
		!s.now().Before(front.Value.(*entry).ends); front = s.order.Front() {
		delete(s.byKey, s.order.Remove(front).(*entry).key)
	}
	s.mu.Unlock()
	c := s.cookie
	c.Value = e.key
	http.SetCookie(w, &c)
}

// end forgets the session and takes the cookie back.
func (s *sessions) end(w http.ResponseWriter, r *http.Request) {
	s.forget(r)
	c := s.cookie
	c.MaxAge = -1
	http.SetCookie(w, &c)
}

func (s *sessions) forget(r *http.Request) {
	c, err := r.Cookie(s.cookie.Name)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byKey[c.Value]; ok {
		s.order.Remove(e)
		delete(s.byKey, c.Value)
	}
}
