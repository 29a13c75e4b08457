package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/outgoing"

	"github.com/riverqueue/river"
)

// Webhook hands text messages to a service of the operator's: it posts {"to", "text", "id"} as JSON, signed as Standard
// Webhooks says (https://www.standardwebhooks.com): in the headers webhook-id, webhook-timestamp and webhook-signature.
// A try that is made again has the same id and another time.
type Webhook struct {
	address string
	secret  []byte
	client  *http.Client
}

const minWebhookSecret = 16 // bytes

// What can be wrong with the configuration of a webhook. The second is about the secret, not the URL.
var (
	errWebhook       = errors.New("must look like https://hooks.example.com/sms; http is for this machine alone")
	ErrWebhookSecret = errors.New(
		"is needed to sign what is sent to WICKET_SMS_URL, at least 16 characters; make one with: openssl rand -hex 32",
	)
)

// NewWebhook takes the address, https unless it is on this machine, and the secret. Its errors repeat neither. It
// returns ErrWebhookSecret for a secret that is missing or short.
func NewWebhook(rawURL, secret string) (*Webhook, error) {
	parsed, err := url.Parse(rawURL)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "https" &&
		(parsed.Scheme != "http" || !storage.IsLoopback(parsed.Hostname())) {
		return nil, errWebhook
	}
	if len(secret) < minWebhookSecret {
		return nil, ErrWebhookSecret
	}
	return &Webhook{address: rawURL, secret: []byte(secret), client: newGateway(rawURL)}, nil
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
	if err := outgoing.Sign(request, text.ID, time.Now(), body, w.secret); err != nil {
		return river.JobCancel(fmt.Errorf("sign the text message: %w", err))
	}
	_, err = callGateway(w.client, request)
	return err
}
