package cache_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/cache"
)

func TestRatesAreReadFromText(t *testing.T) {
	defaults := cache.Rates{"token.client": {N: 7, Per: time.Second}, "other.ip": {N: 8, Per: time.Second}}
	for text, want := range map[string]cache.Rates{
		"":                                defaults,
		"token.client=100/s":              {"token.client": {N: 100, Per: time.Second}, "other.ip": {N: 8, Per: time.Second}},
		"token.client=20/h, other.ip=off": {"token.client": {N: 20, Per: time.Hour}, "other.ip": {}},
		"other.ip=1000000/s\n":            {"token.client": {N: 7, Per: time.Second}, "other.ip": {N: 1_000_000, Per: time.Second}},
		"off":                             nil,
	} {
		rates, err := defaults.With(text)
		if err != nil || len(rates) != len(want) {
			t.Errorf("%q: %v, %v", text, rates, err)
		}
		for name := range want {
			if rates[name] != want[name] {
				t.Errorf("%q: %s is %v, want %v", text, name, rates[name], want[name])
			}
		}
	}
	for text, complaint := range map[string]string{
		"tokens.client=1/s":               `no limit "tokens.client"; there are other.ip, token.client`,
		"token.client":                    "such as 100/s",
		"token.client=100":                "such as 100/s",
		"token.client=100/d":              "such as 100/s",
		"token.client=0/s":                "such as 100/s",
		"token.client=-1/s":               "such as 100/s",
		"token.client=1e3/s":              "such as 100/s",
		"token.client=2000000/s":          "say off",
		"token.client=9223372036854775/s": "say off",
	} {
		if _, err := defaults.With(text); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q: %v, want something with %q", text, err, complaint)
		}
	}
	if defaults["token.client"].N != 7 {
		t.Error("the defaults were changed")
	}
}

func TestLimitsKeepSubjectsApart(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var refused []string
	ctx := storage.WithEventCounter(t.Context(), func(event string, labels ...string) {
		refused = append(refused, event, labels[0])
	})
	limits := &cache.Limits{
		Cache: cache.NewLocal(func() time.Time { return now }),
		Rates: cache.Rates{"token.ip": {N: 2, Per: time.Minute}, "other.ip": {N: 1, Per: time.Minute}, "free.ip": {}},
	}
	for i, step := range []struct {
		endpoint, kind, subject string
		wait                    time.Duration
	}{
		{"token", cache.ByIP, "a", 0},
		{"token", cache.ByIP, "a", 0},
		{"token", cache.ByIP, "a", 30 * time.Second},
		{"token", cache.ByIP, "b", 0},
		{"token", cache.ByClient, "a", 0}, // no such limit
		{"token", cache.ByClient, "a", 0},
		{"consent", cache.ByIP, "a", 0},
		{"register", cache.ByIP, "a", time.Minute}, // all others share one
		{"free", cache.ByIP, "a", 0},
		{"free", cache.ByIP, "a", 0},
	} {
		var limited *cache.Limited
		err := limits.Take(ctx, step.endpoint, step.kind, step.subject)
		if errors.As(err, &limited) != (step.wait > 0) || limited != nil && limited.Wait != step.wait {
			t.Errorf("step %d: %v, want to wait for %s", i, err, step.wait)
		}
	}
	if got := strings.Join(refused, " "); got != "limited token.ip limited other.ip" {
		t.Errorf("refused by %s", got)
	}
	if (&cache.Limited{Wait: 1001 * time.Millisecond}).Seconds() != 2 ||
		(&cache.Limited{Wait: time.Millisecond}).Seconds() != 1 {
		t.Error("Retry-After is rounded down")
	}
}
