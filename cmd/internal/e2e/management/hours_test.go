package management

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
)

// Sign-ins are counted by the hour: once those are over by upkeep, of several replicas at once, and until then as they
// are asked for.
func TestSignInsAreCountedByTheHour(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		now := h.Clock.Now().Truncate(time.Hour)
		attempt := func(at time.Time, failure string, n int) {
			t.Helper()
			for range n {
				h.SQL(t, fmt.Sprintf(`INSERT INTO login_attempts
					(attempt_time, username, ip_address, success, failure_reason, method, user_agent)
					VALUES ('%s', 'somebody', '192.0.2.1', %t, '%s', 'pwd', '')`,
					written(at), failure == "", failure))
			}
		}
		month := now.AddDate(0, -1, 0) // in case the hours are those of a month's beginning
		if err := h.Database.PreparePartitions(t.Context(), month); err != nil {
			t.Fatal(err)
		}
		attempt(now.Add(-30*time.Hour), "", 3)
		attempt(now.Add(-30*time.Hour+59*time.Minute), signin.FailedPassword, 2)
		attempt(now.Add(-30*time.Hour+time.Minute), signin.AskedForSecond, 1) // neither
		attempt(now.Add(-29*time.Hour), "", 1)
		attempt(now, signin.FailedUnknown, 4) // under way
		owner := manage.Operator("operator:test")
		counted := func(when string) {
			t.Helper()
			hours, err := h.Activity.Hours(t.Context(), owner, 48)
			if err != nil {
				t.Fatal(err)
			}
			var told []activity.Hour
			for _, hour := range hours {
				if hour.Success+hour.Failures > 0 {
					told = append(told, hour)
				}
			}
			want := []activity.Hour{
				{Hour: now.Add(-30 * time.Hour), Success: 3, Failures: 2}, {Hour: now.Add(-29 * time.Hour), Success: 1},
				{Hour: now, Failures: 4},
			}
			for i := range want {
				if len(told) != len(want) || !told[i].Hour.Equal(want[i].Hour) || told[i].Success != want[i].Success ||
					told[i].Failures != want[i].Failures {
					t.Errorf("%s: %v, not %v", when, told, want)
					return
				}
			}
			if len(hours) != 48 || !hours[47].Hour.Equal(now) {
				t.Errorf("%s: %d hours to %s", when, len(hours), hours[len(hours)-1].Hour)
			}
		}
		counted("before upkeep")
		replica := h.Replica(t)
		var both sync.WaitGroup
		for _, server := range []*harness.Server{h, replica} {
			both.Go(func() {
				if _, err := server.Activity.CountHours(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		counted("after upkeep")
		// What is counted stays when the attempts have served their time.
		h.SQL(t, "DELETE FROM login_attempts WHERE attempt_time < '"+written(now.Add(-2*time.Hour))+"'")
		counted("without the attempts")
		h.SQL(t, "UPDATE sign_in_hours SET hour = '2020-01-01 00:00:00+00:00' WHERE outcome = 'success' AND n = 3")
		forgotten, err := h.Activity.CountHours(t.Context())
		if err != nil || forgotten != 1 {
			t.Errorf("forgotten: %d, %v", forgotten, err)
		}
	})
}

// written is a time as both databases read and compare it.
func written(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05.999999-07:00") }
