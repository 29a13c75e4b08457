package protocol

import (
	"bufio"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Whoever finds a weakness finds out whom to tell, and never that the answer is too old to be believed: RFC 9116.
func TestSecurityTXT(t *testing.T) {
	t.Parallel()
	var day atomic.Int64
	now := func() time.Time {
		return time.Date(2031, 2, 3, 4, 5, 6, 789, time.FixedZone("", 3600)).AddDate(0, 0, int(day.Load()))
	}
	h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) {
		c.SecurityContacts = []string{"mailto:security@example.com", "https://example.com/report"}
		c.SecurityLanguages = []string{"en", "de-CH"}
		c.Clock = now
	})
	for range 2 {
		shown := h.NewBrowser(t).Get(t, "/.well-known/security.txt")
		kind := shown.Header.Get("Content-Type")
		if shown.StatusCode != http.StatusOK || kind != "text/plain; charset=utf-8" {
			t.Fatalf("%s, %s", shown.Status, kind)
		}
		fields := url.Values{}
		for lines := bufio.NewScanner(strings.NewReader(shown.Text)); lines.Scan(); {
			name, value, isField := strings.Cut(lines.Text(), ": ")
			if !isField {
				t.Errorf("no field: %q", lines.Text())
			}
			fields.Add(name, value)
		}
		expires, err := time.Parse(time.RFC3339, fields.Get("Expires"))
		if left := expires.Sub(now()); err != nil || left < 24*time.Hour || left > 365*24*time.Hour ||
			len(fields["Expires"]) != 1 {
			t.Errorf("Expires: %q is %s ahead, %v", fields["Expires"], left, err)
		}
		for name, want := range map[string][]string{
			"Contact": {"mailto:security@example.com", "https://example.com/report"}, "Preferred-Languages": {"en, de-CH"},
			"Canonical": {h.Issuer + "/.well-known/security.txt"},
		} {
			if !slices.Equal(fields[name], want) {
				t.Errorf("%s: %q, want %q", name, fields[name], want)
			}
		}
		day.Add(300)
	}
	silent := h.Replica(t, func(c *harness.Config) { c.SecurityContacts = nil })
	shown := silent.NewBrowser(t).Get(t, "/.well-known/security.txt")
	if shown.StatusCode != http.StatusNotFound || !strings.HasPrefix(shown.Header.Get("Content-Type"), "text/html") {
		t.Errorf("where nobody is named: %s, %s", shown.Status, shown.Header.Get("Content-Type"))
	}
}
