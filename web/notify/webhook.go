package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/riverqueue/river"
)

// Webhook hands text messages to a service of the operator's: it posts {"to", "text", "id"} as JSON, and signs it.
type Webhook struct {
	address string
	secret  []byte
}

// SignatureHeader holds t=UNIX,v1=HEX: when the request was made, and the HMAC-SHA256 with the secret of that time as
// written, a dot, and the body. Who takes the request should refuse one that is minutes old. A try that is made again has
// the same id and another time.
const SignatureHeader = "Wicket-Signature"

const minWebhookSecret = 16 // bytes

// What can be wrong with the configuration of a webhook. The second is about the secret, not the URL.
var (
	errWebhook       = errors.New("must look like https://hooks.example.com/sms; http is for this machine alone")
	ErrWebhookSecret = errors.New("is needed to sign what is sent to WICKET_SMS_URL, at least 16 characters; make one with: openssl rand -hex 32")
)

// NewWebhook takes the address, https unless it is on this machine, and the secret. Its errors repeat neither. It returns
// ErrWebhookSecret for a secret that is missing or short.
func NewWebhook(rawURL, secret string) (*Webhook, error) {
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" && (parsed.Scheme != "http" || !isLoopback(parsed.Hostname())) {
		return nil, errWebhook
	}
	if len(secret) < minWebhookSecret {
		return nil, ErrWebhookSecret
	}
	return &Webhook{address: rawURL, secret: []byte(secret)}, nil
}

// SendText posts a text message.
func (w *Webhook) SendText(ctx context.Context, text Text) error {
	body, err := json.Marshal(struct {
		To   string `json:"to"`
		Text string `json:"text"`
		ID   string `json:"id"`
	}{text.To, text.Text, text.ID})
	if err != nil {
		return river.JobCancel(fmt.Errorf("write the text message: %w", err))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return river.JobCancel(errWebhook)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set(SignatureHeader, w.sign(time.Now(), body))
	_, err = callGateway(request)
	return err
}

func (w *Webhook) sign(at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
