package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/locales"
)

// Text is a text message (SMS) as it goes out.
type Text struct {
	ID   string // the same for every try to send it
	To   string // E.164
	Text string
}

// TextSender hands text messages on. An error means that it should be tried again, unless it is river.JobCancel's.
type TextSender interface {
	SendText(ctx context.Context, text Text) error
}

// NewTextSender reads a URL: twilio://… as NewTwilio does, and https://… as NewWebhook does, which needs the secret
// too.
func NewTextSender(rawURL, secret string) (TextSender, error) {
	switch scheme, _, _ := strings.Cut(rawURL, ":"); scheme {
	case "twilio":
		return NewTwilio(rawURL)
	case "https", "http":
		return NewWebhook(rawURL, secret)
	}
	return nil, errors.New(
		"must look like twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=+15550100 or https://hooks.example.com/sms",
	)
}

// textMessages are the text messages that there are, by name. The words are "sms.NAME".
var textMessages = map[string]bool{identity.MessageVerifyPhone: true}

// writeText writes the text of a message. Its last line is what phones look for when they offer to fill in a code:
// https://wicg.github.io/sms-one-time-codes.
func writeText(issuer string, message identity.Message, code string) (string, error) {
	if !textMessages[message.Name] {
		return "", fmt.Errorf("text message %q: %w", message.Name, errUnknownMessage)
	}
	parsed, err := url.Parse(issuer)
	if err != nil {
		return "", fmt.Errorf("text message %q: %w", message.Name, err)
	}
	host := parsed.Hostname()
	words := languageOf(message).Text("sms."+locales.Key(message.Name), locales.Params{"Host": host, "Code": code})
	return words + "\n\n@" + host + " #" + code, nil
}

const (
	gatewayTimeout = 15 * time.Second
	maxGatewayBody = 64 << 10 // bytes of an answer that are looked at
)

// newGateway is the client by which a service that sends text messages is called. Redirects are not followed: what is
// sent holds codes, and is for that address alone. The operator wrote it down, so it may be in a private network.
func newGateway(address string) *http.Client {
	return storage.Outbound{Target: address, AllowPrivate: true, Timeout: gatewayTimeout}.Client()
}

// callGateway sends a request and returns the beginning of the answer's body. No error holds the address, which may
// have a secret in it, or anything that the gateway said, which may repeat the code. One that no retry can mend cancels
// the job: every status of 4xx but 429.
func callGateway(client *http.Client, request *http.Request) ([]byte, error) {
	response, err := client.Do(request)
	if err != nil {
		var wrapper *url.Error
		if errors.As(err, &wrapper) {
			err = wrapper.Err
		}
		return nil, fmt.Errorf("the SMS gateway cannot be reached: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxGatewayBody))
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return body, nil // taken, whatever became of the rest of the answer: asking again would send it twice
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return body, river.JobCancel(fmt.Errorf("the SMS gateway refused the message: %d", status))
	default:
		return body, errors.Join(fmt.Errorf("the SMS gateway answered %d", status), err)
	}
}
