package operation

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What was changed while no server runs, or just before the server was killed, and what a webhook could not take then,
// it is told by the next server: kill -9 between the commit and the delivery loses nothing.
func TestKilledBeforeWebhooksWereTold(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		receiver, up := harness.NewWebhookReceiver(t), atomic.Bool{}
		receiver.Answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
			if !up.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
		line.Run(t, "", "migrate")
		var made struct{ Secret string }
		line.JSON(t, &made, "", "webhook", "create", "ops", "--url", receiver.URL, "--type", "user.created")
		receiver.Know(made.Secret)
		want := map[string]bool{}
		create := func(name string) {
			var user harness.PrintedUser
			line.JSON(t, &user, harness.Password, "user", "create", "--username", name, "--password-stdin")
			want[user.ID.String()] = true
		}
		create("before") // no server runs
		server := line.Serve(t, issuer)
		storagetest.Eventually(t, time.Minute, "the first attempt fails", func() bool { return len(receiver.Told()) > 0 })
		down := 0 // so many came while it was
		for round := range 3 {
			for i := range 2 {
				create(fmt.Sprintf("person-%d-%d", round, i))
			}
			server.Kill() // at once: some have a number by now, and some wait
			if round == 2 {
				down = len(receiver.Told())
				up.Store(true)
			}
			server = line.Serve(t, issuer)
		}
		told := map[string]bool{}
		storagetest.Eventually(t, 8*time.Minute, "all of them are told", func() bool {
			for _, one := range receiver.Told()[down:] {
				told[one.Data.ID] = true
			}
			return len(told) >= len(want)
		})
		if !maps.Equal(told, want) {
			t.Errorf("told of %v, want %v", slices.Sorted(maps.Keys(told)), slices.Sorted(maps.Keys(want)))
		}
		server.Interrupt(t)
		server.NoFaults(t)
	})
}
