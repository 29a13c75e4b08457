package signin

import (
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Nobody learns from Wicket who has an account here: whatever was typed, status, headers, body and the distribution of
// the times are the same. The kinds come in random order, so that what else the machine does strikes all of them alike.

// probe is one kind of question that a visitor may ask; form makes its i-th form. Whatever was typed has the same
// length in every kind.
type probe struct {
	kind string
	form func(i int) url.Values
}

// reply is what a visitor sees, without what they typed themself and what is random.
type reply struct {
	status int
	header string
	body   string
	took   time.Duration
}

// Two kinds are told apart where their medians differ by the factor worthNaming and their ranks by sameRanks standard
// deviations; or by the factor sameMedian, where ranks that are less apart will do. A rank test alone would find, on a
// quiet machine, the microseconds of one more row; the medians alone differ by chance on a busy one.
const (
	worthNaming  = 1.1
	sameRanks    = 4.0
	sameMedian   = 1.6
	similarRanks = 3.0
)

var (
	hiddenFields = regexp.MustCompile(`name="(?:continue|token|state)" value="[^"]*"|data-options="[^"]*"`)
	randomHeader = []string{"X-Request-Id", "Date", "Set-Cookie"}
)

// interrogate sends samples forms of each kind to path, in random order, each from an address of its own, and fails the
// test where the answers tell the kinds apart. Two kinds whose times differ are asked as often again, about others, for
// among so many pairs one differs by chance now and then: so each form must be good for 2*samples.
func interrogate(t *testing.T, h *harness.Server, path string, samples int, probes ...probe) {
	t.Helper()
	visitor := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for range 3 { // the first ones open connections and fill caches
		askOnce(t, h, visitor, path, url.Values{"username": {"warm"}, "login": {"warm"}})
	}
	times := askAll(t, h, visitor, path, 0, samples, probes)
	for k := range probes {
		t.Logf("%s: %-24s median %.2f ms", path, probes[k].kind, harness.Median(times[k]))
		for j := range k {
			if !apart(t, probes[j], probes[k], times[j], times[k]) {
				continue
			}
			pair := []probe{probes[j], probes[k]}
			again := askAll(t, h, visitor, path, samples, samples, pair)
			if apart(t, pair[0], pair[1], again[0], again[1]) {
				t.Errorf(
					"%s: the time tells %q from %q: medians %.2f and %.2f ms, and once more %.2f and %.2f ms",
					path, pair[0].kind, pair[1].kind, harness.Median(times[j]), harness.Median(times[k]),
					harness.Median(again[0]), harness.Median(again[1]),
				)
			}
		}
	}
}

// askAll sends the forms from first on, samples of each probe, and returns how many milliseconds each answer took. It
// fails the test where two answers differ in anything but time.
func askAll(
	t *testing.T, h *harness.Server, visitor *http.Client, path string, first, samples int, probes []probe,
) [][]float64 {
	t.Helper()
	var turns []func()
	replies := make([][]reply, len(probes))
	for k, probe := range probes {
		for i := range samples {
			turns = append(turns, func() {
				replies[k] = append(replies[k], askOnce(t, h, visitor, path, probe.form(first+i)))
			})
		}
	}
	rand.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	for _, turn := range turns {
		turn()
	}
	times := make([][]float64, len(probes))
	for k, probe := range probes {
		for _, reply := range replies[k] {
			if want := replies[0][0]; reply.status != want.status || reply.header != want.header || reply.body != want.body {
				t.Fatalf(
					"%s: %q is answered\n%d %s\n%s\nand %q\n%d %s\n%s", path, probes[0].kind, want.status, want.header, want.body,
					probe.kind, reply.status, reply.header, reply.body,
				)
			}
			times[k] = append(times[k], reply.took.Seconds()*1000)
		}
	}
	return times
}

// apart says whether the times of two probes differ by more than chance would have it.
func apart(t *testing.T, a, b probe, as, bs []float64) bool {
	t.Helper()
	ratio, z := harness.Median(bs)/harness.Median(as), rankDifference(bs, as)
	t.Logf("%s and %s: medians %.3f, z %.1f", b.kind, a.kind, ratio, z)
	size, distance := max(ratio, 1/ratio), math.Abs(z)
	return distance > sameRanks && size > worthNaming || distance > similarRanks && size > sameMedian
}

func askOnce(t *testing.T, h *harness.Server, visitor *http.Client, path string, form url.Values) reply {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", h.Issuer)
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), rand.IntN(256)))
	began := time.Now()
	response, err := visitor.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range randomHeader {
		response.Header.Del(name)
	}
	var header strings.Builder
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		fmt.Fprintf(&header, "%s: %s\n", name, response.Header[name])
	}
	text := hiddenFields.ReplaceAllString(string(body), "")
	for field := range form {
		if typed := form.Get(field); typed != "" {
			text = strings.ReplaceAll(text, typed, "{"+field+"}")
		}
	}
	return reply{response.StatusCode, header.String(), text, took}
}

// rankDifference is the Mann-Whitney U test: by how many standard deviations the ranks of a are higher than they would
// be if a and b came from one distribution. One outlier, or ten, make little difference to it.
func rankDifference(a, b []float64) float64 {
	var u float64
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func TestRankDifference(t *testing.T) {
	t.Parallel()
	low, high := make([]float64, 40), make([]float64, 40)
	for i := range low {
		low[i], high[i] = float64(i), float64(i+40)
	}
	if z := rankDifference(low, low); z != 0 {
		t.Errorf("a sample differs from itself by %v", z)
	}
	if z := rankDifference(high, low); z < 7.6 || z > 7.8 {
		t.Errorf("samples apart: %v", z)
	}
	if z := rankDifference(low, high); z > -7.6 {
		t.Errorf("the other way: %v", z)
	}
	if harness.Median([]float64{3, 1, 2}) != 2 || harness.Median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("the median is wrong")
	}
}

// eachEnumerated is harness.Each behind a proxy, so that every question comes from an address of its own.
func eachEnumerated(t *testing.T, test func(t *testing.T, h *harness.Server)) {
	t.Helper()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		test(t, harness.StartWithCostlyPasswords(t, databaseURL, func(c *harness.Config) {
			c.TrustedProxies = []string{"127.0.0.1", "::1"}
		}))
	})
}

// people makes twice so many of a kind, named kind00, kind01 and so on, all with alice's password, so that interrogate
// can ask again; change is SQL about them.
func people(t *testing.T, h *harness.Server, kind string, n int, verified bool, change string) {
	t.Helper()
	for i := range 2 * n {
		name := fmt.Sprintf("%s%02d", kind, i)
		h.Register(t, identity.NewUser{Username: name, Email: name + "@example.com", EmailVerified: verified})
	}
	h.SQL(
		t, "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE username = ?) WHERE username LIKE ?",
		harness.Username, kind+"%",
	)
	if change != "" {
		h.SQL(t, "UPDATE users SET "+change+" WHERE username LIKE '"+kind+"%'")
	}
}

func TestSignInDoesNotTellWhoHasAnAccount(t *testing.T) {
	eachEnumerated(t, func(t *testing.T, h *harness.Server) {
		const samples = 30
		people(t, h, "known", samples, true, "")
		people(t, h, "disab", samples, true, "is_active = FALSE")
		people(t, h, "shuts", samples, true, "is_active = FALSE")
		people(t, h, "locks", samples, true, "failed_login_attempts = 10, locked_until = '2099-01-01 00:00:00+00:00'")
		people(t, h, "block", samples, true, "failed_login_attempts = 10, locked_until = '2099-01-01 00:00:00+00:00'")
		people(t, h, "empty", samples, true, "password_hash = NULL")
		people(t, h, "claim", samples, false, "")
		named := func(kind, format, password string) probe {
			return probe{kind, func(i int) url.Values {
				return url.Values{"username": {fmt.Sprintf(format, i)}, "password": {password}}
			}}
		}
		t.Run("username", func(t *testing.T) {
			interrogate(t, h, "/sign-in", samples,
				named("wrong password", "known%02d", "wrong password at all"),
				named("unknown", "ghost%02d", "wrong password at all"),
				named("disabled", "disab%02d", "wrong password at all"),
				named("disabled, right password", "shuts%02d", harness.Password),
				named("locked", "locks%02d", "wrong password at all"),
				named("locked, right password", "block%02d", harness.Password),
				named("no password", "empty%02d", "wrong password at all"))
		})
		t.Run("e-mail", func(t *testing.T) {
			interrogate(t, h, "/sign-in", samples,
				named("wrong password", "known%02d@example.com", "wrong password at all"),
				named("unknown", "ghost%02d@example.com", "wrong password at all"),
				named("unverified, right password", "claim%02d@example.com", harness.Password))
		})
	})
}

// A password that was hashed elsewhere takes its own time to compare: see docs/import.md. The cost is a low one because
// the race detector makes it ten times as dear, which must still be less than what a refusal takes.
func TestImportedHashesDoNotTellWhoHasAnAccount(t *testing.T) {
	eachEnumerated(t, func(t *testing.T, h *harness.Server) {
		const samples = 15
		people(t, h, "known", samples, true, "")
		people(t, h, "bcryp", samples, true, "password_hash = '$2a$06$eK2UiRG704ymTZFSss7xfOdnhVSGiSpIlhjtpXORxcQutPJNuoUZu'")
		h.SignIns.RefusalTakes = 300 * time.Millisecond
		named := func(kind, format string) probe {
			return probe{kind, func(i int) url.Values {
				return url.Values{"username": {fmt.Sprintf(format, i)}, "password": {"wrong password at all"}}
			}}
		}
		interrogate(
			t, h, "/sign-in", samples, named("our hash", "known%02d"), named("unknown", "ghost%02d"),
			named("imported", "bcryp%02d"),
		)
	})
}

func TestResetDoesNotTellWhoHasAnAccount(t *testing.T) {
	eachEnumerated(t, func(t *testing.T, h *harness.Server) {
		const samples = 40
		people(t, h, "known", samples, true, "")
		people(t, h, "claim", samples, false, "")
		people(t, h, "disab", samples, true, "is_active = FALSE")
		named := func(kind, format string) probe {
			return probe{kind, func(i int) url.Values { return url.Values{"login": {fmt.Sprintf(format, i)}} }}
		}
		interrogate(t, h, "/forgot-password", samples,
			named("verified", "known%02d@example.com"),
			named("unknown", "ghost%02d@example.com"),
			named("unverified", "claim%02d@example.com"),
			named("disabled", "disab%02d@example.com"))
	})
}

func TestRegistrationDoesNotTellWhoHasAnAccount(t *testing.T) {
	eachEnumerated(t, func(t *testing.T, h *harness.Server) {
		const samples = 30
		people(t, h, "known", samples, true, "")
		newcomer := func(kind, username, email string) probe {
			return probe{kind, func(i int) url.Values {
				return harness.SignUpForm(url.Values{
					"username": {fmt.Sprintf(username, i)}, "email": {fmt.Sprintf(email, i)}, "name": {""},
				})
			}}
		}
		interrogate(t, h, "/register", samples,
			newcomer("address of somebody else", "carol%02d", "known%02d@example.com"),
			newcomer("free address", "david%02d", "ghost%02d@example.com"))
	})
}
