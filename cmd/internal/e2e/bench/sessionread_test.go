package bench

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// BenchmarkSessionRead measures whether sessions belong into Redis: what every request asks the database, and the least
// that the same would cost from Redis, one GET. own-cpu-µs is what Wicket itself spends on it.
func BenchmarkSessionRead(b *testing.B) {
	measure := func(b *testing.B, once func() error) {
		b.Helper()
		before := ownCPU()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := once(); err != nil {
					b.Error(err)
				}
			}
		})
		b.ReportMetric(float64((ownCPU()-before).Nanoseconds())/1000/float64(b.N), "own-cpu-µs/op")
	}
	for _, kind := range []storage.Kind{storage.SQLite, storage.Postgres} {
		b.Run(string(kind), func(b *testing.B) {
			h := harness.Start(b, storagetest.URL(b, kind))
			browser := h.NewBrowser(b)
			browser.SignIn(b, harness.Page{})
			home, err := url.Parse(h.Issuer)
			if err != nil {
				b.Fatal(err)
			}
			secret := ""
			for _, cookie := range browser.Jar.Cookies(home) {
				if cookie.Name == "wicket_session" {
					secret = cookie.Value
				}
			}
			b.ResetTimer()
			measure(b, func() error {
				_, err := h.Identity.Sessions().BySecret(b.Context(), secret)
				return err
			})
		})
	}
	b.Run("redis", func(b *testing.B) {
		client := storagetest.Redis(b).Client(b)
		session := map[string]any{"id": "01900000-0000-7000-8000-000000000000", "user_id": "01900000-0000-7000-8000-000000000000", "session_version": 1, "amr": []string{"pwd"},
			"acr": "urn:wicket:acr:password", "auth_time": time.Now(), "last_seen_at": time.Now(), "last_seen_ip": "192.0.2.7", "expires_at": time.Now(), "created_at": time.Now(), "username": harness.Username}
		encoded, _ := json.Marshal(session)
		if err := client.Set(b.Context(), "wicket:session", encoded, time.Minute).Err(); err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		measure(b, func() error {
			raw, err := client.Get(b.Context(), "wicket:session").Bytes()
			if err != nil {
				return err
			}
			return json.Unmarshal(raw, &map[string]any{})
		})
	})
}
