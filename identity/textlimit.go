package identity

import (
	"context"
	"slices"
	"time"

	"github.com/wicket-id/wicket/identity/identifier"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Each text message costs the operator money, and some numbers pay whoever has them for each that arrives. So there are
// limits for a person, a number, a network, a country and all together, and a person shows a verified e-mail address
// first, where there can be one.

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

// textLimit is how many messages of a kind may go out in textWindow.
type textLimit struct {
	of    string
	most  int64
	fault *refusal.Error
}

// mayText counts a text message that a person asks for to a number, and tells whether it may go out.
func (s Phones) mayText(ctx context.Context, user *User, number string) error {
	if !s.Texts {
		return ErrNoTexts
	}
	country, err := s.TextRule.reaches(number)
	if err != nil {
		return err
	}
	if s.Mails {
		if address, err := VerifiedPrimary(ctx, s.Database.Reader(), user.ID); err != nil {
			return err
		} else if address == "" {
			return ErrEmailFirst
		}
	}
	from := Device{IP: audit.ActorOf(ctx).IP}.Source()
	limits := []textLimit{
		{"by " + user.ID.String(), maxTextsBy, ErrTooManyTexts},
		{"to " + number, maxTextsTo, ErrTooManyTexts},
		{"from " + from, maxTextsFrom, ErrTooManyTexts},
		{"to the country " + country, s.TextRule.ofCountry(), ErrTextsExhausted},
		{"of all", s.TextRule.Daily, ErrTextsExhausted},
	}
	// Looked at beforehand, so that what one refuses is not spent of the others.
	for _, exceeds := range []func(textLimit) bool{
		func(limit textLimit) bool { return s.Cache.Peek(ctx, "texts "+limit.of) >= limit.most },
		func(limit textLimit) bool { return s.Cache.Count(ctx, "texts "+limit.of, textWindow) > limit.most },
	} {
		for _, limit := range limits {
			if exceeds(limit) {
				storage.CountEvent(ctx, "texts", country, limit.fault.Code)
				return limit.fault
			}
		}
	}
	storage.CountEvent(ctx, "texts", country, "sent")
	return nil
}
