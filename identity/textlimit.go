package identity

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Each text message costs the operator money, and some numbers pay whoever has them for each that arrives. So there are
// limits for a person, a number, a network, a country and all together, and a person shows a verified e-mail address
// first, where there can be one. What is counted is in the database: a Redis that is lost must not cost money.

// TextRule is the operator's rule of how many text messages may be sent, and to where.
type TextRule struct {
	Countries []string // by ISO 3166-1 alpha-2, such as DE; empty: all
	Daily     int64    // in textWindow, of which half may go to one country if there are several
}

const (
	maxTextsTo   = 5  // to one number in textWindow: nobody's phone is to be flooded
	maxTextsBy   = 10 // by one person
	maxTextsFrom = 30 // from one network
	textWindow   = 24 * time.Hour
)

// Why no text message is sent.
var (
	ErrNoTexts        = refusal.New("phone.unavailable", "this server sends no text messages")
	ErrTooManyTexts   = refusal.New("phone.messages_limit", "too many text messages in a day")
	ErrTextsExhausted = refusal.New("phone.exhausted", "the text messages of this day are used up")
	ErrUntexted       = refusal.New("phone.untexted", "no text messages are sent to such a number, or to its country")
	ErrEmailFirst     = refusal.New("phone.email_first", "an e-mail address must be verified before a phone number")
)

// reaches returns the country of a number to which messages may go, or ErrUntexted.
func (r TextRule) reaches(number string) (country string, err error) {
	country, ordinary := identifier.PhoneCountry(number)
	if !ordinary || len(r.Countries) > 0 && !slices.Contains(r.Countries, country) {
		return "", ErrUntexted
	}
	return country, nil
}

// ofCountry is how many messages may go to one country.
func (r TextRule) ofCountry() int64 {
	if len(r.Countries) == 1 {
		return r.Daily
	}
	return max(1, r.Daily/2)
}

// text is a text message that a person asks for, with what it is to be counted by.
type text struct {
	country string
	limits  []textLimit
}

// textLimit is how many messages of a kind may go out in textWindow.
type textLimit struct {
	of    string
	most  int64
	fault *refusal.Error
}

// mayText tells whether a text message that a person asks for may go to a number at all. sendCode counts it.
func (s Phones) mayText(ctx context.Context, user *User, number string) (*text, error) {
	if !s.Texts {
		return nil, ErrNoTexts
	}
	country, err := s.TextRule.reaches(number)
	if err != nil {
		return nil, err
	}
	if s.Mails {
		if address, err := VerifiedPrimary(ctx, s.Database.Reader(), user.ID); err != nil {
			return nil, err
		} else if address == "" {
			return nil, ErrEmailFirst
		}
	}
	from := Device{IP: audit.ActorOf(ctx).IP}.Source()
	return &text{country, []textLimit{ // the widest last: it is what others wait for
		{"by " + user.ID.String(), maxTextsBy, ErrTooManyTexts},
		{"to " + number, maxTextsTo, ErrTooManyTexts},
		{"from " + from, maxTextsFrom, ErrTooManyTexts},
		{"to the country " + country, s.TextRule.ofCountry(), ErrTextsExhausted},
		{"of all", s.TextRule.Daily, ErrTextsExhausted},
	}}, nil
}

// takeText counts a message by all its limits, or returns why it is one too many: then tx is rolled back, and none of
// them has counted it.
func (s Phones) takeText(ctx context.Context, tx bun.Tx, now time.Time, message *text) error {
	for _, limit := range message.limits {
		quota := storage.Quota{Hash: s.Seal.Derive("text limit", []byte(limit.of))[0], Most: limit.most, Per: textWindow}
		within, err := quota.Take(ctx, tx, now)
		if err != nil {
			return err
		}
		if !within {
			return limit.fault
		}
	}
	storage.CountEvent(ctx, "texts", message.country, "sent")
	return nil
}

// countRefused tells the metrics if a message was one too many.
func (t *text) countRefused(ctx context.Context, err error) {
	if fault := refusal.OneOf(err, ErrTooManyTexts, ErrTextsExhausted); fault != nil {
		storage.CountEvent(ctx, "texts", t.country, fault.(*refusal.Error).Code)
	}
}
