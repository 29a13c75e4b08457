package bench

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/seal"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// The benchmarks measure what the server spends, not what the driver and the server do together: the server is a
// process of its own, and its CPU time is read before and after. "sig/op" is that in units of one P-256 signature
// measured in the same run, so that figures of different machines can be compared.

// BenchmarkSignature is the unit: one P-256 signature.
func BenchmarkSignature(b *testing.B) {
	key, digest := signatureKey()
	for b.Loop() {
		if _, err := ecdsa.SignASN1(rand.Reader, key, digest); err != nil {
			b.Fatal(err)
		}
	}
}

func signatureKey() (*ecdsa.PrivateKey, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key, bytes.Repeat([]byte{7}, 32)
}

// signatureCPU measures the unit: the CPU time of one P-256 signature.
func signatureCPU(b *testing.B) time.Duration {
	b.Helper()
	key, digest := signatureKey()
	const n = 3000
	before := ownCPU()
	for range n {
		if _, err := ecdsa.SignASN1(rand.Reader, key, digest); err != nil {
			b.Fatal(err)
		}
	}
	return (ownCPU() - before) / n
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkTransaction is the other yardstick: one transaction with one insert and one update, through storage.
func BenchmarkTransaction(b *testing.B) {
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			db := storagetest.Open(b, kind)
			i := 0
			for b.Loop() {
				i++
				err := db.Write(b.Context(), func(ctx context.Context, tx bun.Tx) error {
					if _, err := tx.ExecContext(
						ctx, "INSERT INTO revoked_tokens (jti, expires_at) VALUES (?, ?)", strconv.Itoa(i), time.Unix(0, 0),
					); err != nil {
						return err
					}
					_, err := tx.ExecContext(
						ctx, "UPDATE revoked_tokens SET expires_at = ? WHERE jti = ?", time.Unix(1, 0), strconv.Itoa(i),
					)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var hotWays = []struct {
	name string
	once func(*visitor) error
}{
	{"discovery", (*visitor).discovery},
	{"jwks", (*visitor).jwks},
	{"client_credentials", (*visitor).clientCredentials},
	{"code", (*visitor).code},
	{"refresh", (*visitor).refresh},
	{"introspection", (*visitor).introspection},
	{"userinfo", (*visitor).userinfo},
}

// BenchmarkServer measures the hot ways over HTTP.
func BenchmarkServer(b *testing.B) {
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			server := startBenchServer(b, storagetest.URL(b, kind))
			for _, way := range hotWays {
				b.Run(way.name, func(b *testing.B) { server.measure(b, way.once) })
			}
		})
	}
}

// BenchmarkStart measures how long `wicket serve` takes from its start to its first answer, with a database that is
// there already, and how much memory it holds when idle.
func BenchmarkStart(b *testing.B) {
	url := storagetest.URL(b, storage.SQLite)
	startBenchServer(b, url).stop() // makes the keys
	var took time.Duration
	var memory int64
	for b.Loop() {
		began := time.Now()
		server := startProcess(b, url)
		took += time.Since(began)
		memory = server.memory(b)
		server.stop()
	}
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/start")
	b.ReportMetric(float64(memory)/(1<<20), "MB-idle")
}

// benchServer is one Wicket: `wicket serve` as a process of its own, or several.
type benchServer struct {
	replicas []*benchReplica
	env      []string
	issuer   string
	apps     map[string]string // client_id -> secret
	apiKey   string            // the last that was made
}

// benchReplica is one process of them.
type benchReplica struct {
	process *exec.Cmd
	address string
	exited  chan struct{}
}

// startProcess starts a Wicket of one process on that database. variables are more of its environment.
func startProcess(b *testing.B, databaseURL string, variables ...string) *benchServer {
	b.Helper()
	port := harness.FreePort(b)
	s := &benchServer{issuer: fmt.Sprintf("http://localhost:%d", port), apps: map[string]string{}}
	s.env = append(
		os.Environ(), "WICKET_ISSUER="+s.issuer, "WICKET_DATABASE_URL="+databaseURL, "WICKET_SECRET="+benchSecret,
		"WICKET_DRAIN=0s",
	)
	s.env = append(s.env, variables...)
	s.startReplica(b, port)
	return s
}

// startReplica starts one more process, and waits until it answers.
func (s *benchServer) startReplica(b *testing.B, port int) {
	b.Helper()
	r := &benchReplica{
		process: exec.Command(harness.ServerBinary(b), "serve"), address: fmt.Sprintf("127.0.0.1:%d", port),
		exited: make(chan struct{}),
	}
	r.process.Env = append(slices.Clip(s.env), "WICKET_LISTEN="+r.address)
	if err := r.process.Start(); err != nil {
		b.Fatal(err)
	}
	go func() { _ = r.process.Wait(); close(r.exited) }()
	b.Cleanup(r.stop)
	s.replicas = append(s.replicas, r)
	for deadline := time.Now().Add(20 * time.Second); ; {
		response, err := http.Get("http://" + r.address + "/.well-known/openid-configuration")
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("the server does not answer: %v", err)
		}
		time.Sleep(time.Millisecond) // polling
	}
}

var benchSecret = seal.NewMasterKey()

func startBenchServer(b *testing.B, databaseURL string, variables ...string) *benchServer {
	b.Helper()
	s := startProcess(b, databaseURL, variables...)
	for worker := range benchWorkers {
		s.command(b, harness.Password, "user", "create", "--username", fmt.Sprintf("user%d", worker), "--password-stdin")
	}
	s.command(
		b, "", "client", "create", "--id", "web", "--name", "Web", "--redirect-uri", harness.RedirectURI, "--id-token-alg",
		"ES256", "--auth-method", "client_secret_post",
	)
	s.command(
		b, "", "client", "create", "--id", "service", "--name", "Service", "--grant-type", "client_credentials", "--scope",
		"read", "--auth-method", "client_secret_post",
	)
	return s
}

func (s *benchServer) command(b *testing.B, stdin string, args ...string) {
	b.Helper()
	command := exec.Command(s.replicas[0].process.Path, append(args, "-o", "json")...)
	command.Env, command.Stdin = s.env, strings.NewReader(stdin)
	out, err := command.Output()
	if err != nil {
		b.Fatalf("%v: %v", args, err)
	}
	var result struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Key    string `json:"key"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		b.Fatal(err)
	}
	if result.ID != "" {
		s.apps[result.ID] = result.Secret
	}
	if result.Key != "" {
		s.apiKey = result.Key
	}
}

func (s *benchServer) stop() {
	for _, r := range s.replicas {
		r.stop()
	}
}

func (r *benchReplica) stop() {
	_ = r.process.Process.Signal(syscall.SIGTERM)
	<-r.exited
}

// cpu is the CPU time that the processes have used.
func (s *benchServer) cpu(b *testing.B) (spent time.Duration) {
	b.Helper()
	for _, r := range s.replicas {
		spent += processCPU(b, r.process.Process.Pid)
	}
	return spent
}

// processCPU is the CPU time that a process has used (proc(5), stat fields 14 and 15).
func processCPU(b *testing.B, pid int) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("CPU time is read from /proc, which this system lacks")
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// memory is the resident memory of the first process in bytes.
func (s *benchServer) memory(b *testing.B) int64 {
	b.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.replicas[0].process.Process.Pid))
	if err != nil {
		b.Skip("memory is read from /proc, which this system lacks")
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

const benchWorkers = 8

// gauge is something besides that is counted while the benchmark runs.
type gauge struct {
	unit string
	read func(b *testing.B) float64 // in all, so far
}

// measure runs once b.N times on eight workers, each with its own person, connection and tokens.
func (s *benchServer) measure(b *testing.B, once func(*visitor) error, gauges ...gauge) {
	b.Helper()
	visitors := make([]*visitor, benchWorkers)
	for i := range visitors {
		visitors[i] = s.visitor(b, i)
	}
	var wg sync.WaitGroup
	turns := make(chan struct{}, b.N)
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	unit := signatureCPU(b) // before and after: the machine's speed drifts
	before := s.cpu(b)
	readings := make([]float64, len(gauges))
	for i, g := range gauges {
		readings[i] = g.read(b)
	}
	b.ResetTimer()
	for _, v := range visitors {
		wg.Go(func() {
			for range turns {
				if err := once(v); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	spent := s.cpu(b) - before
	for i, g := range gauges {
		b.ReportMetric((g.read(b)-readings[i])/float64(b.N), g.unit)
	}
	unit = (unit + signatureCPU(b)) / 2
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(spent)/float64(b.N)/float64(unit), "sig/op")
}

// turns hands requests to the replicas in turn, as a proxy before them would.
type turns struct {
	http.Transport
	server *benchServer
	taken  atomic.Int64
}

func (t *turns) RoundTrip(r *http.Request) (*http.Response, error) {
	there := r.Clone(r.Context())
	there.Host, there.URL.Host = r.URL.Host, t.server.replicas[int(t.taken.Add(1))%len(t.server.replicas)].address
	response, err := t.Transport.RoundTrip(there)
	if err == nil {
		response.Request = r
	}
	return response, err
}

// visitor is a signed-in person with an app.
type visitor struct {
	server        *benchServer
	http          *http.Client
	access, token string
}

func (s *benchServer) visitor(b *testing.B, worker int) *visitor {
	b.Helper()
	jar, _ := cookiejar.New(nil)
	v := &visitor{server: s, http: &http.Client{Jar: jar, Transport: &turns{server: s}, CheckRedirect: func(
		r *http.Request, _ []*http.Request,
	) error {
		if !strings.HasPrefix(r.URL.String(), s.issuer) {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
	b.Cleanup(v.http.CloseIdleConnections)
	// The first time through the pages: sign in, and allow what the app asks for.
	for _, step := range []struct {
		url  string
		form url.Values
	}{
		{"/sign-in", url.Values{"username": {fmt.Sprintf("user%d", worker)}, "password": {harness.Password}}},
		{"/consent", url.Values{"decision": {"allow"}, "scope": {"profile", "email", "offline_access"}}},
	} {
		if step.url == "/consent" {
			response, err := v.http.Get(s.issuer + v.request())
			if err != nil {
				b.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			held := harness.Page{Text: string(body)}.Continue()
			if held == "" {
				continue // allowed before
			}
			step.form.Set("continue", held)
		}
		response, err := v.http.PostForm(s.issuer+step.url, step.form)
		if err != nil {
			b.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if err := v.code(); err != nil {
		b.Fatal(err)
	}
	return v
}

func (v *visitor) request() string {
	return "/authorize?" + url.Values{
		"client_id": {"web"}, "redirect_uri": {harness.RedirectURI}, "response_type": {"code"},
		"scope": {"openid profile email offline_access"},
		"state": {"the-state-of-it"}, "nonce": {"the-nonce-of-it"}, "code_challenge": {harness.CodeChallenge},
		"code_challenge_method": {"S256"},
	}.Encode()
}

func (v *visitor) get(path string) (*http.Response, error) {
	response, err := v.http.Get(v.server.issuer + path)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response, err
}

func (v *visitor) discovery() error { return v.expect(v.get("/.well-known/openid-configuration")) }
func (v *visitor) jwks() error      { return v.expect(v.get("/.well-known/jwks.json")) }

func (v *visitor) expect(response *http.Response, err error) error {
	if err == nil && response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Request.URL.Path, response.Status)
	}
	return err
}

func (v *visitor) code() error {
	response, err := v.get(v.request())
	if err != nil {
		return err
	}
	location, err := response.Location()
	if err != nil {
		return err
	}
	return v.tokens("web", url.Values{
		"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": {harness.RedirectURI},
		"code_verifier": {harness.CodeVerifier},
	})
}

func (v *visitor) refresh() error {
	return v.tokens("web", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {v.token}})
}

func (v *visitor) clientCredentials() error {
	access, token := v.access, v.token
	defer func() { v.access, v.token = access, token }()
	return v.tokens("service", url.Values{"grant_type": {"client_credentials"}, "scope": {"read"}})
}

func (v *visitor) tokens(app string, form url.Values) error {
	var answer struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Error   string `json:"error_description"`
	}
	if err := v.post("/token", app, form, &answer); err != nil {
		return err
	}
	if answer.Access == "" {
		return fmt.Errorf("no tokens: %s", answer.Error)
	}
	v.access, v.token = answer.Access, answer.Refresh
	return nil
}

func (v *visitor) introspection() error {
	var answer struct {
		Active bool `json:"active"`
	}
	if err := v.post("/introspect", "service", url.Values{"token": {v.access}}, &answer); err != nil {
		return err
	}
	if !answer.Active {
		return fmt.Errorf("the token is not active")
	}
	return nil
}

func (v *visitor) post(path, app string, form url.Values, into any) error {
	form.Set("client_id", app)
	form.Set("client_secret", v.server.apps[app])
	response, err := v.http.PostForm(v.server.issuer+path, form)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return json.NewDecoder(response.Body).Decode(into)
}

func (v *visitor) userinfo() error {
	request, err := http.NewRequest(http.MethodGet, v.server.issuer+"/userinfo", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+v.access)
	response, err := v.http.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return v.expect(response, nil)
}
