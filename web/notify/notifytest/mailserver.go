// Package notifytest has what tests of messages need: a mail server.
package notifytest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Received is an email as the mail server got it.
type Received struct {
	From, To string
	Body     string // with its headers
}

// MailServer is a real mail server on this machine, which keeps what it gets.
type MailServer struct {
	mu       sync.Mutex
	received []Received
	busy     bool
	stalled  chan struct{} // nil: it is not
}

// BeBusy has it answer that it is.
func (m *MailServer) BeBusy() { m.mu.Lock(); defer m.mu.Unlock(); m.busy = true }

// Stall has it take connections and answer nobody, until the channel that it returns is closed.
func (m *MailServer) Stall() (done chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stalled = make(chan struct{})
	return m.stalled
}

// Received returns what has come so far.
func (m *MailServer) Received() []Received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Received(nil), m.received...)
}

// Open serves mail on a port of this machine, 0 for any that is free, until the test ends, and returns the URL for it.
func (m *MailServer) Open(t testing.TB, port int) string {
	t.Helper()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
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
	return URL(listener.Addr().(*net.TCPAddr).Port)
}

// URL is the URL of a mail server on that port, whether there is one or not.
func URL(port int) string {
	return fmt.Sprintf("smtp://127.0.0.1:%d?from=Wicket+%%3Cid@example.com%%3E", port)
}

// NewSession is smtp.Backend's.
func (m *MailServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{server: m}, nil
}

type session struct {
	server *MailServer
	email  Received
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.server.mu.Lock()
	busy, stalled := s.server.busy, s.server.stalled
	s.server.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	if busy {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	s.email.From = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error { s.email.To = to; return nil }

func (s *session) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.email.Body = string(body)
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, s.email)
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }
