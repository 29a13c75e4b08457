package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// Twilio sends text messages by Twilio's API.
type Twilio struct {
	messages string // the address of its resource Messages
	account  string
	token    string
	from     string
	client   *http.Client
}

var (
	errTwilio    = errors.New("must look like twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=+15550100")
	twilioSender = regexp.MustCompile(`^\+?[A-Za-z0-9]{3,15}$`) // a number, a short code or a name
)

// NewTwilio reads a URL such as twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=+15550100. It speaks https, unless
// the URL says insecure=1 and the host is this machine, as in tests. Its errors never repeat the token.
func NewTwilio(rawURL string) (*Twilio, error) {
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Scheme != "twilio" || parsed.Hostname() == "" || parsed.User == nil ||
		strings.Trim(parsed.Path, "/") != "" {
		return nil, errTwilio
	}
	account := parsed.User.Username()
	token, _ := parsed.User.Password()
	if account == "" || token == "" {
		return nil, fmt.Errorf("%w; ACCOUNT_SID or AUTH_TOKEN is missing", errTwilio)
	}
	// In a query a plus sign stands for a space, but people copy numbers as they are.
	from := strings.Replace(parsed.Query().Get("from"), " ", "+", 1)
	if !twilioSender.MatchString(from) {
		return nil, fmt.Errorf("%w; the number in from is missing or malformed", errTwilio)
	}
	scheme := "https"
	if parsed.Query().Get("insecure") == "1" {
		if !storage.IsLoopback(parsed.Hostname()) {
			return nil, fmt.Errorf("%w; insecure=1 is for this machine alone", errTwilio)
		}
		scheme = "http"
	}
	address := url.URL{Scheme: scheme, Host: parsed.Host, Path: "/2010-04-01/Accounts/" + account + "/Messages.json"}
	return &Twilio{
		messages: address.String(), account: account, token: token, from: from, client: newGateway(address.String()),
	}, nil
}

// SendText hands a text message to Twilio: https://www.twilio.com/docs/messaging/api/message-resource.
func (t *Twilio) SendText(ctx context.Context, text Text) error {
	form := url.Values{"To": {text.To}, "From": {t.from}, "Body": {text.Text}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.messages, strings.NewReader(form.Encode()))
	if err != nil {
		return river.JobCancel(errTwilio)
	}
	request.SetBasicAuth(t.account, t.token)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := callGateway(t.client, request)
	if err == nil {
		return nil
	}
	var problem struct {
		Code int `json:"code"` // https://www.twilio.com/docs/api/errors; its message may repeat the text, the number cannot
	}
	if json.Unmarshal(body, &problem) == nil && problem.Code != 0 {
		return fmt.Errorf("twilio's error %d: %w", problem.Code, err)
	}
	return err
}
