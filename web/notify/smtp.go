package notify

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTP sends emails through a mail server.
type SMTP struct {
	client *gomail.Client
	from   string
}

const smtpTimeout = 30 * time.Second

// NewSMTP reads a URL such as smtp://USER:PASSWORD@mail.example.com:587?from=Wicket+<id@example.com>. smtps:// speaks
// TLS from the first byte (port 465); smtp:// begins in the clear and goes on in TLS (STARTTLS, port 587), which must
// not fail unless the host is this machine or the URL says tls=optional. Its errors never repeat a password.
func NewSMTP(rawURL string) (*SMTP, error) {
	invalid := errors.New("must look like smtp://USER:PASSWORD@mail.example.com:587?from=id@example.com")
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "smtp" && parsed.Scheme != "smtps" {
		return nil, invalid
	}
	from, err := mail.ParseAddress(parsed.Query().Get("from"))
	if err != nil {
		return nil, fmt.Errorf("%w; the address in from is missing or malformed", invalid)
	}
	options := []gomail.Option{gomail.WithTimeout(smtpTimeout)}
	port, policy := 587, gomail.TLSMandatory
	if host := parsed.Hostname(); host == "localhost" || host == "127.0.0.1" || host == "::1" ||
		parsed.Query().Get("tls") == "optional" {
		policy = gomail.TLSOpportunistic
	}
	if parsed.Scheme == "smtps" {
		port = 465
		options = append(options, gomail.WithSSL())
	} else {
		options = append(options, gomail.WithTLSPolicy(policy))
	}
	if text := parsed.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, invalid
		}
	}
	options = append(options, gomail.WithPort(port))
	if user := parsed.User.Username(); user != "" {
		password, _ := parsed.User.Password()
		options = append(
			options, gomail.WithUsername(user), gomail.WithPassword(password), gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
		)
	}
	client, err := gomail.NewClient(parsed.Hostname(), options...)
	if err != nil {
		return nil, invalid
	}
	return &SMTP{client: client, from: from.String()}, nil
}

// Send hands an email to the mail server.
func (s *SMTP) Send(ctx context.Context, email Email) error {
	message := gomail.NewMsg()
	if err := message.From(s.from); err != nil {
		return err
	}
	if err := message.To(email.To); err != nil {
		return err
	}
	message.Subject(email.Subject)
	message.SetBodyString(gomail.TypeTextPlain, email.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, email.HTML)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	return s.client.DialAndSendWithContext(ctx, message)
}
