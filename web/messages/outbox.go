package messages

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Outbox keeps the last letters and text messages in memory instead of sending them, so that a developer can read them.
type Outbox struct {
	mu      sync.Mutex
	letters []KeptLetter
}

// KeptLetter is a letter with the time when it would have gone out.
type KeptLetter struct {
	Letter
	At time.Time
}

const maxKept = 50

// Send keeps a letter.
func (o *Outbox) Send(_ context.Context, letter Letter) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.letters = append(o.letters, KeptLetter{letter, time.Now().UTC()})
	if len(o.letters) > maxKept {
		o.letters = o.letters[len(o.letters)-maxKept:]
	}
	return nil
}

// SendText keeps a text message, as a letter of the subject TextSubject.
func (o *Outbox) SendText(ctx context.Context, text Text) error {
	return o.Send(ctx, Letter{To: text.To, Subject: TextSubject, Text: text.Text})
}

// TextSubject stands where letters have their subject.
const TextSubject = "Text message"

// Letters returns the kept letters, the last one first.
func (o *Outbox) Letters() []KeptLetter {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := slices.Clone(o.letters)
	slices.Reverse(kept)
	return kept
}
