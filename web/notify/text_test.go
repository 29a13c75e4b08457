package notify

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/seal"
)

const (
	testNumber  = "+493012345"
	testCode    = "271828"
	testAccount = "AC0123456789abcdef"
	testToken   = "f00dfacef00dface"
	testSecret  = "a secret of more than sixteen"
)

// peer is a gateway that answers what it is told to, and keeps what it was asked.
type peer struct {
	*httptest.Server
	mu      sync.Mutex
	answers []func(w http.ResponseWriter) // the last one again and again
	asked   []*http.Request
	bodies  []string
}

func newPeer(t testing.TB, answers ...func(w http.ResponseWriter)) *peer {
	p := &peer{answers: answers}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked, p.bodies = append(p.asked, r), append(p.bodies, string(body))
		p.answers[min(len(p.asked), len(p.answers))-1](w)
	}))
	t.Cleanup(p.Close)
	return p
}

// says is an answer with that status and a body that repeats what no log may hold.
func says(status int) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(
			w, `{"code": 21211, "message": "cannot send `+testCode+` for `+testToken+` and `+testSecret+`"}`,
		)
	}
}

// twilio and webhook are the two senders, set up to speak to a peer.
func (p *peer) twilio(t testing.TB) TextSender {
	return newSender(
		t, "twilio://"+testAccount+":"+testToken+"@"+strings.TrimPrefix(p.URL, "http://")+"?from=+15550100&insecure=1",
	)
}

func (p *peer) webhook(t testing.TB) TextSender { return newSender(t, p.URL+"/sms?key="+testToken) }

func newSender(t testing.TB, rawURL string) TextSender {
	t.Helper()
	sender, err := NewTextSender(rawURL, testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return sender
}

var senders = map[string]func(*peer, testing.TB) TextSender{"twilio": (*peer).twilio, "webhook": (*peer).webhook}

// work does one job as River does.
func work(t testing.TB, sender TextSender, until time.Time) error {
	t.Helper()
	seal, err := seal.Parse(seal.NewMasterKey())
	if err != nil {
		t.Fatal(err)
	}
	worker := &Worker{Issuer: "https://id.example.com:8443", Seal: seal, Mail: func() Sender {
		return nil
	}, Texts: func() TextSender {
		return sender
	}, Log: slog.New(slog.DiscardHandler)}
	return worker.Work(t.Context(), &river.Job[identity.Message]{
		JobRow: &rivertype.JobRow{ID: 7, CreatedAt: time.Unix(1_700_000_000, 0)},
		Args: identity.Message{
			Name: identity.MessageVerifyPhone, Channel: "sms", To: testNumber,
			Secret: seal.Close(identity.SealForMessages, []byte(testCode)), Until: until,
		},
	})
}

func soon() time.Time { return time.Now().Add(time.Minute) }

func isCancelled(err error) bool {
	var cancelled *rivertype.JobCancelError
	return errors.As(err, &cancelled)
}

const wantText = testCode +
	" is your code for id.example.com. It works for ten minutes. Do not tell it to anyone who calls you.\n\n@id.example.com #" + testCode

func TestTwilioIsAskedAsItWantsToBe(t *testing.T) {
	p := newPeer(t, says(http.StatusCreated))
	if err := work(t, p.twilio(t), soon()); err != nil {
		t.Fatal(err)
	}
	asked := p.asked[0]
	account, token, _ := asked.BasicAuth()
	if asked.Method != http.MethodPost || asked.RequestURI != "/2010-04-01/Accounts/"+testAccount+"/Messages.json" ||
		account != testAccount || token != testToken {
		t.Errorf("%s %s as %s:%s", asked.Method, asked.RequestURI, account, token)
	}
	form, err := url.ParseQuery(p.bodies[0])
	if err != nil || asked.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(form) != 3 {
		t.Errorf("%v: %s", err, p.bodies[0])
	}
	for name, want := range map[string]string{"To": testNumber, "From": "+15550100", "Body": wantText} {
		if got := form.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if len(wantText) > 160 {
		t.Errorf("the text needs more than one SMS: %d", len(wantText))
	}
}

func TestWebhookIsSigned(t *testing.T) {
	p := newPeer(t, says(http.StatusInternalServerError), says(http.StatusNoContent))
	sender := p.webhook(t)
	if err := work(t, sender, soon()); err == nil || isCancelled(err) {
		t.Fatalf("a gateway that fails: %v", err)
	}
	if err := work(t, sender, soon()); err != nil {
		t.Fatal(err)
	}
	if p.bodies[0] != p.bodies[1] {
		t.Errorf("the second try says something else: %s", p.bodies)
	}
	var said map[string]string
	if err := json.Unmarshal([]byte(p.bodies[1]), &said); err != nil || len(said) != 3 || said["to"] != testNumber ||
		said["text"] != wantText || said["id"] != "7-1700000000" {
		t.Errorf("%v: %v", err, said)
	}
	verifier, err := standardwebhooks.NewWebhookRaw([]byte(testSecret))
	if err != nil {
		t.Fatal(err)
	}
	for i, asked := range p.asked {
		if err := verifier.Verify([]byte(p.bodies[i]), asked.Header); err != nil ||
			asked.Header.Get("webhook-id") != said["id"] {
			t.Errorf("the signature does not verify: %v, %v", err, asked.Header)
		}
		if err := verifier.Verify([]byte(p.bodies[i]+" "), asked.Header); err == nil {
			t.Error("another body verifies too")
		}
		if asked.Header.Get("Content-Type") != "application/json" {
			t.Errorf("sent as %s", asked.Header.Get("Content-Type"))
		}
	}
}

func TestWhichFailuresAreTriedAgain(t *testing.T) {
	for name, connect := range senders {
		for status, again := range map[int]bool{
			400: false, 401: false, 403: false, 404: false, 410: false, 429: true, 500: true, 503: true, 302: true,
		} {
			err := work(t, connect(newPeer(t, says(status)), t), soon())
			if err == nil || isCancelled(err) == again {
				t.Errorf("%s, %d: tried again should be %v: %v", name, status, again, err)
			}
			keepsSecrets(t, name, err)
		}
		gone := newPeer(t, says(200))
		sender := connect(gone, t)
		gone.Close()
		err := work(t, sender, soon())
		if err == nil || isCancelled(err) {
			t.Errorf("%s, nobody there: %v", name, err)
		}
		keepsSecrets(t, name, err)
		// An answer without an end is not read to its end, and what was taken is not sent twice.
		endless := newPeer(t, func(w http.ResponseWriter) {
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			t.Errorf("%s read a hundred MiB", name)
		})
		if err := work(t, connect(endless, t), soon()); err != nil {
			t.Errorf("%s, a long answer: %v", name, err)
		}
		late := newPeer(t, says(200))
		if err := work(t, connect(late, t), time.Now().Add(-time.Second)); !isCancelled(err) || len(late.asked) != 0 {
			t.Errorf("%s sends a code that is too old: %v", name, err)
		}
	}
}

func TestCodesDoNotFollowRedirects(t *testing.T) {
	elsewhere := newPeer(t, says(200))
	for name, connect := range senders {
		p := newPeer(t, func(w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		if err := work(t, connect(p, t), soon()); err == nil || len(elsewhere.asked) != 0 {
			t.Errorf("%s: %v, followed %d times", name, err, len(elsewhere.asked))
		}
	}
}

// keepsSecrets checks an error, which River keeps in the database and logs.
func keepsSecrets(t testing.TB, name string, err error) {
	t.Helper()
	for _, secret := range []string{testCode, testToken, testSecret, testNumber} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s tells a secret: %v", name, err)
		}
	}
}

func TestWhatIsNoGateway(t *testing.T) {
	for rawURL, secret := range map[string]string{
		"twilio://api.twilio.com?from=+15550100":                                                         "",
		"twilio://" + testAccount + "@api.twilio.com?from=+15550100":                                     "",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com":                                  "",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com?from=+1 555":                      "",
		"twilio://" + testAccount + ":" + testToken + "@?from=+15550100":                                 "",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com/elsewhere?from=+15550100":         "",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com?from=+15550100&insecure=1":        "",
		"twilio://" + testAccount + ":" + testToken + "@127.0.0.1.example.com?from=+15550100&insecure=1": "",
		"twilio://" + testAccount + ":" + testToken + "%zz@api.twilio.com?from=+15550100":                "",
		"http://hooks.example.com/sms?key=" + testToken:                                                  testSecret,
		"https:///sms?key=" + testToken:                                                                  testSecret,
		"https://hooks.example.com/sms?key=" + testToken:                                                 "too short",
		"https://hooks.example.com/sms":                                                                  "",
		"smpp://" + testAccount + ":" + testToken + "@example.com":                                       "",
		testToken: "",
	} {
		sender, err := NewTextSender(rawURL, secret)
		if err == nil {
			t.Errorf("%s is taken: %+v", rawURL, sender)
		}
		if strings.HasPrefix(rawURL, "https://hooks") != errors.Is(err, ErrWebhookSecret) {
			t.Errorf("%s: which variable is wrong? %v", rawURL, err)
		}
		keepsSecrets(t, rawURL, err)
	}
	for _, rawURL := range []string{
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com?from=+15550100",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com?from=%2B15550100",
		"twilio://" + testAccount + ":" + testToken + "@api.twilio.com?from=Wicket",
		"https://hooks.example.com/sms", "http://localhost:8085/sms", "http://[::1]:8085/sms",
	} {
		if _, err := NewTextSender(rawURL, testSecret); err != nil {
			t.Errorf("%s: %v", rawURL, err)
		}
	}
}
