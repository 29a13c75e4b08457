package sampleapp

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"
)

//go:embed pages
var pages embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"app": func() string {
	return Name
}}).ParseFS(pages, "pages/*.html"))

// page is a handler whose error becomes a page.
type page func(http.ResponseWriter, *http.Request) error

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := p(w, r)
	if err == nil {
		return
	}
	var known problem
	if !errors.As(err, &known) {
		known = problem{
			Status: http.StatusInternalServerError, Title: "Daybook stumbled", Advice: "Please try again.", Detail: err.Error(),
		}
	}
	if known.Again && r.Method == http.MethodGet {
		w.Header().Set("Refresh", "3")
	}
	_ = render(w, known.Status, "problem.html", known)
}

// problem is an error with everything a person and a developer want to read about it.
type problem struct {
	Status int
	Title  string
	Advice string
	Code   string // OAuth's error
	Detail string // OAuth's error_description, or what a library said
	Again  bool   // the page reloads itself
}

func (p problem) Error() string { return p.Title + ": " + p.Advice }

func render(w http.ResponseWriter, status int, name string, data any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := b.WriteTo(w)
	return err
}

// home is the one page of the server-side app, for visitors and for people who are signed in.
func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	now := a.now()
	s := a.sessions.of(r)
	if s == nil || s.current() == nil {
		return render(w, http.StatusOK, "welcome.html", struct {
			Issuer, Weekday, Day string
			JustLeft, SPA        bool
		}{a.config.Issuer, now.Format("Monday"), now.Format("2 January"), r.URL.Query().Get("state") == "signed-out", a.config.SPAClientID != ""})
	}
	v := s.current()
	d := desk{Issuer: a.config.Issuer, ClientID: a.config.ClientID, SPA: a.config.SPAClientID != "",
		Weekday: now.Format("Monday"), Day: now.Format("2 January"), Subject: v.subject}
	d.ID.Header, d.ID.Claims = facts(v.idToken)
	d.Access.Header, d.Access.Claims = facts(v.token.AccessToken)
	d.Access.Size = len(v.token.AccessToken)
	if !v.token.Expiry.IsZero() {
		d.Access.Expires, d.Access.Left = clock(v.token.Expiry), left(v.token.Expiry.Sub(now))
	}
	if v.token.RefreshToken != "" {
		d.Refresh = &refreshFacts{
			Fingerprint: fingerprint(v.token.RefreshToken), Size: len(v.token.RefreshToken), Times: v.refreshes,
		}
	}
	asked := time.Now()
	answer, err := a.issuer.userinfo(r.Context(), v)
	if err != nil {
		d.Userinfo.Problem = err.Error()
	}
	d.Userinfo.Claims, d.Userinfo.Took = claims(answer), time.Since(asked).Round(100*time.Microsecond)
	d.Greeting = greeting(now.Hour()) + ", " + called(answer, v.claims)
	return render(w, http.StatusOK, "desk.html", d)
}

// desk is the page of somebody who is signed in.
type desk struct {
	Issuer, ClientID, Weekday, Day, Greeting, Subject string
	SPA                                               bool
	ID                                                struct{ Header, Claims []claim }
	Userinfo                                          struct {
		Claims  []claim
		Problem string
		Took    time.Duration
	}
	Access struct {
		Header, Claims []claim
		Size           int
		Expires, Left  string
	}
	Refresh *refreshFacts
}

type refreshFacts struct {
	Fingerprint string
	Size, Times int
}

func facts(token string) (header, payload []claim) {
	h, p, ok := jwt(token)
	if !ok {
		return nil, nil
	}
	return claims(h), claims(p)
}

func left(d time.Duration) string {
	if d <= 0 {
		return "expired"
	}
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s left", d/time.Second)
	}
	return fmt.Sprintf("%d min %d s left", d/time.Minute, d%time.Minute/time.Second)
}

func greeting(hour int) string {
	switch {
	case hour < 5:
		return "Still up"
	case hour < 12:
		return "Good morning"
	case hour < 18:
		return "Good afternoon"
	default:
		return "Good evening"
	}
}

// called is the friendliest name that any of the answers knows.
func called(answers ...json.RawMessage) string {
	for _, answer := range answers {
		var n struct {
			Given string `json:"given_name"`
			Name  string `json:"name"`
			User  string `json:"preferred_username"`
			Email string `json:"email"`
		}
		_ = json.Unmarshal(answer, &n)
		for _, name := range []string{n.Given, n.Name, n.User, n.Email} {
			if name != "" {
				return name
			}
		}
	}
	return "friend"
}
