package operation

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// visits are requests that ask the database: of a person who is signed in, of one who signs in, and of an app.
type visits struct {
	h      *harness.Server
	cookie string
	form   url.Values
	client harness.Client
}

// newVisits serves as a process of its own, signs somebody in there, and makes an app.
func newVisits(t *testing.T, line harness.CommandLine, issuer string) (*visits, *harness.Process) {
	t.Helper()
	server := line.Serve(t, issuer)
	line.JSON(t, &harness.PrintedUser{}, harness.Password, "user", "create", "--username", harness.Username,
		"--email", harness.Email, "--email-verified", "--password-stdin")
	var app struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	line.JSON(t, &app, "", "client", "create", "--name", "Test app", "--redirect-uri", harness.RedirectURI,
		"--auth-method", clients.AuthPost)
	v := &visits{
		h: &harness.Server{Issuer: issuer}, client: harness.Client{Client: &clients.Client{ID: app.ID}, Secret: app.Secret},
	}
	b := v.h.NewBrowser(t)
	b.SignIn(t, b.Get(t, "/sign-in"))
	at, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range b.Jar.Cookies(at) {
		v.cookie += cookie.Name + "=" + cookie.Value + "; "
	}
	v.form = url.Values{"username": {harness.Username}, "password": {harness.Password}}
	return v, server
}

// visit sends the request of that number, and returns the status, whether a 503 says when to try again, and the body.
func (v *visits) visit(ctx context.Context, number int) (status int, later bool, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, v.h.Issuer+"/account", http.NoBody)
	switch number % 3 {
	case 0:
		request.Header.Set("Cookie", v.cookie)
	case 1:
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, v.h.Issuer+"/sign-in",
			strings.NewReader(v.form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case 2:
		form := url.Values{
			"client_id": {v.client.ID}, "client_secret": {v.client.Secret}, "grant_type": {"authorization_code"},
			"code": {"none"}, "redirect_uri": {harness.RedirectURI},
		}
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, v.h.Issuer+oidc.PathToken,
			strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if err != nil {
		return 0, false, "", err
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, false, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Retry-After") != "", string(text), err
}

// refused fails the test where a visit is not answered with a 503 that says when to try again.
func (v *visits) refused(t *testing.T, number int) {
	t.Helper()
	status, later, body, err := v.visit(t.Context(), number)
	said := "One moment, please"
	if number%3 == 2 {
		said = `"error":"temporarily_unavailable"`
	}
	if err != nil || status != http.StatusServiceUnavailable || !later || !strings.Contains(body, said) {
		t.Errorf("visit %d: %d, Retry-After %t, %v\n%.500s", number, status, later, err, body)
	}
}

// works fails the test where a visit is not answered as it is when all is well.
func (v *visits) works(t *testing.T) {
	t.Helper()
	for number, want := range []int{http.StatusOK, http.StatusSeeOther, http.StatusBadRequest} {
		if status, _, body, err := v.visit(t.Context(), number); status != want || err != nil {
			t.Errorf("visit %d: %d, %v, want %d\n%.500s", number, status, err, want, body)
		}
	}
}

// Tables are locked for as long as it takes. Every request is answered in bounded time, whatever it waits for, and
// nothing is left behind; of those whose clients leave, nothing is left as soon as they have.
func TestRequestsDoNotWaitForEver(t *testing.T) {
	t.Parallel()
	databaseURL := storagetest.URL(t, storage.Postgres)
	line, issuer := harness.NewCommandLine(t, databaseURL)
	address := fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t))
	line = append(line, "WICKET_METRICS_LISTEN="+address, "WICKET_LIMITS=off")
	v, server := newVisits(t, line, issuer)
	v.works(t)
	held := func() (goroutines, descriptors float64) {
		now := scrape(t, address)
		return now.value("go_goroutines"), now.value("process_open_fds")
	}
	goroutines, descriptors := held()
	nothingLeft := func(within time.Duration, what string) {
		t.Helper()
		storagetest.Eventually(t, within, what+" leave nothing behind", func() bool {
			nowGoroutines, nowDescriptors := held()
			// connections to the database stay, with what serves each
			return nowGoroutines < goroutines+70 && nowDescriptors < descriptors+40
		})
	}

	unlock := lockTables(t, databaseURL, "users", "sessions", "grants", "codes")
	began := time.Now()
	number := make(chan int, 64)
	for i := range cap(number) {
		number <- i
	}
	harness.AtOnce(cap(number), func() struct{} { v.refused(t, <-number); return struct{}{} })
	if took := time.Since(began); took > 25*time.Second {
		t.Errorf("the last was answered after %s", took)
	}
	nothingLeft(5*time.Second, "requests that were refused")

	ctx, leave := context.WithCancel(t.Context())
	go func() {
		defer leave()
		storagetest.Eventually(t, 10*time.Second, "they wait", func() bool {
			waiting, _ := held()
			return waiting > goroutines+200
		})
	}()
	visiting := make(chan int, 300)
	for i := range cap(visiting) {
		visiting <- i / 2 * 3 // people who are signed in
	}
	harness.AtOnce(cap(visiting), func() struct{} {
		if status, _, _, err := v.visit(ctx, <-visiting); !errors.Is(err, context.Canceled) {
			t.Errorf("answered before it left: %d, %v", status, err)
		}
		return struct{}{}
	})
	nothingLeft(5*time.Second, "requests whose clients left")
	unlock()
	v.works(t)
	server.Kill()
}

// lockTables locks tables of a PostgreSQL database so that nobody reads them, until unlock is called.
func lockTables(t *testing.T, databaseURL string, tables ...string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tx, err := db.Begin()
	if err == nil {
		_, err = tx.Exec("LOCK TABLE " + strings.Join(tables, ", "))
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = tx.Rollback() }
}

// PostgreSQL has no connection to give. People and apps are told to try again, and it is tried again for them first.
func TestNoConnectionsLeft(t *testing.T) {
	t.Parallel()
	databaseURL := storagetest.EmptyPostgres(t)
	at := strings.LastIndexByte(databaseURL, '/') + 1
	host, name := databaseURL[:at], databaseURL[at:]
	admin, err := sql.Open("pgx", host+"postgres") // whose connections are not ended with those of Wicket
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	role := "limited_" + name
	do := func(statement string) {
		t.Helper()
		if _, err := admin.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE ROLE " + role + " LOGIN")
	do("ALTER DATABASE " + name + " OWNER TO " + role)
	line, issuer := harness.NewCommandLine(t, strings.Replace(databaseURL, "postgres@", role+"@", 1))
	v, server := newVisits(t, line, issuer)
	v.works(t)
	do("ALTER ROLE " + role + " CONNECTION LIMIT 0")
	storagetest.TerminateConnections(t, databaseURL)
	numbers := make(chan int, 9)
	for i := range cap(numbers) {
		numbers <- i
	}
	harness.AtOnce(cap(numbers), func() struct{} { v.refused(t, <-numbers); return struct{}{} })
	do("ALTER ROLE " + role + " CONNECTION LIMIT -1")
	v.works(t)
	server.Kill()
}

// Another process holds the write lock of an SQLite database for longer than it is waited for.
func TestSQLiteIsLockedByAnotherProcess(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	other, err := sql.Open("sqlite", strings.TrimPrefix(h.Config().DatabaseURL, "sqlite:")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	b := h.NewBrowser(t)
	shown := b.SignIn(t, b.Get(t, "/sign-in"))
	if shown.StatusCode != http.StatusServiceUnavailable || shown.Header.Get("Retry-After") == "" {
		t.Errorf("a sign-in: %s", shown.Status)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if shown := b.SignIn(t, b.Get(t, "/sign-in")); shown.Path() != "/account" {
		t.Errorf("after that: %s %s", shown.Path(), shown.Status)
	}
}
