package messages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/wicket-id/wicket/identity"
)

// mailServer is a real mail server on this machine, which keeps what it gets.
type mailServer struct {
	mu       sync.Mutex
	received []received
	busy     bool // answers that it is busy
}

type received struct {
	from, to string
	body     string
}

func (m *mailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: m}, nil
}

type mailSession struct {
	server   *mailServer
	from, to string
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.busy {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, received{s.from, s.to, string(body)})
	return nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

// open serves mail on a free port of this machine until the test ends, and returns the URL for it.
func (m *mailServer) open(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(m)
	server.Domain = "localhost"
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return fmt.Sprintf("smtp://%s?from=Wicket+%%3Cid@example.com%%3E", listener.Addr())
}

func TestLettersReachARealMailServer(t *testing.T) {
	server := &mailServer{}
	sender, err := NewSMTP(server.open(t))
	if err != nil {
		t.Fatal(err)
	}
	letter, err := write("https://id.example.com", identity.Message{
		Name: identity.MessageResetPassword, To: "grace@example.com", Person: "grace", Values: map[string]string{"ip": "192.0.2.1", "device": "Firefox on Linux"},
	}, "the-secret")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := sender.Send(ctx, letter); err != nil {
		t.Fatal(err)
	}
	server.busy = true
	if err := sender.Send(ctx, letter); err == nil {
		t.Error("a server that is busy took the letter: it would not be tried again")
	}
	if len(server.received) != 1 {
		t.Fatalf("%d letters arrived", len(server.received))
	}
	got := server.received[0]
	if got.from != "id@example.com" || got.to != "grace@example.com" {
		t.Errorf("from %s to %s", got.from, got.to)
	}
	for _, part := range []string{"Subject: Choose another password", "text/plain", "text/html", "Auto-Submitted: auto-generated", "192.0.2.1", "Firefox on Linux"} {
		if !strings.Contains(got.body, part) {
			t.Errorf("the letter lacks %q:\n%s", part, got.body)
		}
	}
	if unfolded := strings.ReplaceAll(got.body, "=\r\n", ""); !strings.Contains(unfolded, "https://id.example.com/reset-password?token=3Dthe-secret") {
		t.Errorf("the link is missing:\n%s", got.body)
	}
}

func TestEveryMessageIsWritten(t *testing.T) {
	files, err := letters.ReadDir("letters")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, isLetter := strings.CutSuffix(file.Name(), ".txt")
		if !isLetter {
			continue
		}
		letter, err := write("https://id.example.com", identity.Message{Name: name, To: "g@example.com", Person: `<b>"grace"`, Values: map[string]string{}}, "secret")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if letter.Text == "" || strings.Contains(letter.Text, "<no value>") || strings.Contains(letter.HTML, "<b>") {
			t.Errorf("%s: subject %q\n%s", name, letter.Subject, letter.Text)
		}
		if strings.ContainsAny(letter.Subject, "\r\n") || bytes.Contains([]byte(letter.HTML), []byte("javascript:")) {
			t.Errorf("%s: a subject of several lines, or a script", name)
		}
	}
	if _, err := write("https://id.example.com", identity.Message{Name: "../smtp"}, ""); !errors.Is(err, errUnknownMessage) {
		t.Errorf("a message that does not exist: %v", err)
	}
}

func TestMailServerURLsThatCannotBeRight(t *testing.T) {
	for _, url := range []string{"", "mail.example.com", "http://mail.example.com?from=a@example.com", "smtp://mail.example.com", "smtp://u:hunter2@mail.example.com?from=nobody"} {
		if _, err := NewSMTP(url); err == nil || !strings.Contains(err.Error(), "smtp://USER:PASSWORD@") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
