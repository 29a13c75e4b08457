package federation

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/oauth2"
)

// Of what an API like GitHub's says, the id alone tells who somebody is, and only a primary address that is verified
// there counts; whatever else it says is no fault, and what is kept of it is text that both databases take.
func FuzzGitHubUser(f *testing.F) {
	type answer struct {
		status       int
		user, emails string
	}
	var said atomic.Pointer[answer]
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	f.Cleanup(server.Close)
	mux.HandleFunc("/api/v3/user", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(said.Load().user))
	})
	mux.HandleFunc("/api/v3/user/emails", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(said.Load().status)
		_, _ = w.Write([]byte(said.Load().emails))
	})
	const user = `{"id":7,"login":"alice","name":"Alice","email":"public@example.com","blog":"https://alice.example"}`
	const emails = `[{"email":"a@example.com","primary":true,"verified":true},{"email":"b@example.com","verified":true}]`
	f.Add(user, emails, 200)
	for _, other := range []string{
		"", "null", "[]", "{}", `{"id":"7","login":"alice"}`, `{"id":0,"login":"alice"}`, `{"id":-7,"login":"alice"}`, `{"id":7.5,"login":"alice"}`, `{"id":1e300,"login":"alice"}`,
		`{"id":9007199254740993,"login":"a"}`, `{"id":7}`, `{"id":7,"login":"a\u0000"}`, `{"id":7,"login":{"a":1}}`, `{"ID":7,"LOGIN":"a"}`, `{"id":7,"login":"a","sub":"8","email_verified":true,"preferred_username":"root"}`,
		user + "{", `{"id":7,"login":"a","x\u0000":["\u0000"],"name":"` + strings.Repeat("n", 5000) + `"}`, `{"id":7,"login":"\ud800","amr":["mfa"],"sid":"s"}`,
	} {
		f.Add(other, emails, 200)
	}
	for _, other := range []string{
		"", "null", "{}", "[]", `[null]`, `[{"email":"a@example.com","primary":true}]`, `[{"email":"a@example.com","primary":true,"verified":"true"}]`, `[{"email":["a@example.com"],"primary":true,"verified":true}]`,
		`[{"email":"a\u0000@example.com","primary":true,"verified":true}]`, `[{"email":"","primary":true,"verified":true}]`, `[{"email":"a@example.com","primary":true,"verified":true},{"email":"b@example.com","primary":true,"verified":true}]`,
	} {
		f.Add(user, other, 200)
	}
	for _, status := range []int{204, 304, 401, 403, 404, 429, 500, 599} {
		f.Add(user, emails, status)
	}
	p := &Provider{
		ID: "forge", Kind: KindGitHub, Name: "Forge", Issuer: server.URL, ClientID: "wicket",
		Settings: Settings{Emails: EmailsProved, Registration: true, TrustAMR: true, MultiFactor: "high", AllowPrivate: true},
	}
	token := &oauth2.Token{AccessToken: "access"}
	f.Fuzz(func(t *testing.T, user, emails string, status int) {
		if status < 200 || status > 599 {
			return
		}
		said.Store(&answer{status, user, emails})
		verified, err := gitHub{}.identify(t.Context(), &tokenResponse{
			Token: token, provider: p, client: server.Client(), metadata: &metadata{Issuer: server.URL},
		})
		if err != nil {
			if !errors.Is(err, ErrInvalidResponse) && !errors.Is(err, ErrUnreachable) || !isShown(err.Error()) {
				t.Fatalf("%q, %q: a fault: %v", user, emails, err)
			}
			return
		}
		if id, err := strconv.ParseInt(verified.Subject, 10, 64); err != nil || id < 1 || verified.SID != "" {
			t.Fatalf("%q is %+v", user, verified)
		}
		if verified.EmailVerified && (status != 200 || !strings.Contains(strings.ToLower(emails), "verified")) {
			t.Fatalf("%q, %d %q: the address %q counts", user, status, emails, verified.Email)
		}
		external, err := p.external(verified, token)
		if err != nil {
			t.Fatalf("%q: a fault: %v", user, err)
		}
		checkExternal(t, user, external)
		if external.Subject != verified.Subject || len(external.Evidence.AMR) > 1 ||
			external.EmailProved && !verified.EmailVerified {
			t.Fatalf("%q, %q: %.2000v", user, emails, external)
		}
	})
}
