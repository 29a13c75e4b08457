package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/storage"
)

// Limits say how often who may ask for what. A limit is named by an endpoint and a kind of subject, such as
// "token.client"; each subject has an allowance of its own. A nil *Limits limits nothing.
type Limits struct {
	Cache Cache
	Rates Rates
}

// Rates are limits by their names. "other.KIND" is for the endpoints that have none of that kind; a rate of 0 is none.
type Rates map[string]Rate

// The kinds of subject.
const (
	ByIP      = "ip" // a network: see identity.Device.Source
	ByClient  = "client"
	ByAccount = "account"
)

const otherEndpoints = "other"

// Limited is the refusal of who asks too often.
type Limited struct {
	Limit string // its name
	Wait  time.Duration
}

func (l *Limited) Error() string {
	return fmt.Sprintf("more than the limit %s allows; again in %s", l.Limit, l.Wait.Round(time.Millisecond))
}

// Seconds is how long to wait as the header Retry-After says it: RFC 9110, section 10.2.3.
func (l *Limited) Seconds() int { return int((l.Wait + time.Second - 1) / time.Second) }

// Take notes a request of subject to endpoint. It returns a *Limited where it was one too many.
func (l *Limits) Take(ctx context.Context, endpoint, kind, subject string) error {
	if l == nil {
		return nil
	}
	limit := endpoint + "." + kind
	rate, ok := l.Rates[limit]
	if !ok {
		limit = otherEndpoints + "." + kind
		rate = l.Rates[limit]
	}
	if rate.N == 0 {
		return nil
	}
	if wait := l.Cache.Take(ctx, "limit "+limit+" "+subject, rate); wait > 0 {
		storage.CountEvent(ctx, "limited", limit)
		return &Limited{Limit: limit, Wait: wait}
	}
	return nil
}

// With returns the rates with those changed that text names, by commas: "token.client=100/s,other.ip=off"; or none at
// all where it says "off".
func (r Rates) With(text string) (Rates, error) {
	if text == "off" {
		return nil, nil
	}
	changed := maps.Clone(r)
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		name, value, _ := strings.Cut(part, "=")
		if _, known := r[name]; !known {
			return nil, fmt.Errorf("there is no limit %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(r)), ", "))
		}
		rate, err := parseRate(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		changed[name] = rate
	}
	return changed, nil
}

// parseRate reads "100/s", "100/m", "100/h" or "off".
func parseRate(text string) (Rate, error) {
	if text == "off" {
		return Rate{}, nil
	}
	number, unit, _ := strings.Cut(text, "/")
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || per == 0 {
		return Rate{}, errors.New("must be a number by time, such as 100/s, 6000/m or 20/h, or off")
	}
	if rate := (Rate{N: n, Per: per}); n < int64(per) && rate.interval() > 0 {
		return rate, nil
	}
	return Rate{}, errors.New("is more than a million a second; say off")
}
