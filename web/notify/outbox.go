package notify

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Outbox keeps the last emails and text messages in memory instead of sending them, so that a developer can read them.
type Outbox struct {
	mu       sync.Mutex
	messages []KeptMessage
}

// KeptMessage is an email or a text message, with the time when it would have gone out.
type KeptMessage struct {
	Email
	At time.Time
}

const maxKept = 50

// Send keeps an email.
func (o *Outbox) Send(_ context.Context, email Email) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = append(o.messages, KeptMessage{email, time.Now().UTC()})
	if len(o.messages) > maxKept {
		o.messages = o.messages[len(o.messages)-maxKept:]
	}
	return nil
}

// SendText keeps a text message, as an email with the subject TextSubject.
func (o *Outbox) SendText(ctx context.Context, text Text) error {
	return o.Send(ctx, Email{To: text.To, Subject: TextSubject, Text: text.Text})
}

// TextSubject is the subject of text messages in the outbox.
const TextSubject = "Text message"

// Messages returns what was kept, the newest first.
func (o *Outbox) Messages() []KeptMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := slices.Clone(o.messages)
	slices.Reverse(kept)
	return kept
}
