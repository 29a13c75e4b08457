package logout

import (
	"testing"
	"time"
)

func TestWhatAnAnswerMeans(t *testing.T) {
	for status, want := range map[int]string{
		200: "done", 204: "done", 299: "done",
		300: "final", 302: "final", 304: "final", 400: "final", 401: "final", 404: "final", 410: "final", 422: "final", 501: "passes",
		408: "passes", 429: "passes", 500: "passes", 502: "passes", 503: "passes", 504: "passes", 599: "passes",
	} {
		got := "done"
		if failed := faultOf(status, "x"); failed != nil && failed.final {
			got = "final"
		} else if failed != nil {
			got = "passes"
		}
		if got != want {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}

// An app is tried for about two hours, with pauses that grow, and then given up; what is final is given up at once.
func TestHowLongAnAppIsTried(t *testing.T) {
	began := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	d, now, last := &Delivery{State: DeliveryPending, NextAt: began}, began, time.Duration(0)
	for d.isOpen() {
		pause := d.NextAt.Sub(now)
		if pause < last {
			t.Errorf("before attempt %d: a pause of %s after one of %s", d.Attempts+1, pause, last)
		}
		now, last = d.NextAt, pause
		d.State, d.Attempts = DeliverySending, d.Attempts+1
		d.settle(&fault{reason: "away"}, now)
	}
	if took := now.Sub(began); took < 100*time.Minute || took > 2*time.Hour || d.State != DeliveryFailed ||
		d.LastError != "away" || d.DeliveredAt != nil {
		t.Errorf("%s after %s: %+v", d.State, took, d)
	}
	d = &Delivery{State: DeliverySending, Attempts: 1}
	if d.settle(&fault{reason: "no", final: true}, now); d.State != DeliveryFailed {
		t.Errorf("after a final fault it is %s", d.State)
	}
	d = &Delivery{State: DeliverySending, Attempts: 3, LastError: "away"}
	d.settle(nil, now)
	if d.State != DeliveryDelivered || d.LastError != "" || d.DeliveredAt == nil || !d.DeliveredAt.Equal(now) {
		t.Errorf("delivered: %+v", d)
	}
}

func TestOriginsOfPages(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/callback":     "https://app.example",
		"https://APP.example:443/callback": "https://app.example",
		"https://app.example:8443":         "https://app.example:8443",
		"http://localhost:80/":             "http://localhost",
		"http://localhost:5173/cb?x=1":     "http://localhost:5173",
		"http://[::1]/cb":                  "http://[::1]",
		"http://[::1]:8080/cb":             "http://[::1]:8080",
		"com.example.app:/cb":              "",
		"com.example.app://host/cb":        "",
	} {
		if got := pageOrigin(uri); got != want {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
}
