package operation

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// What was changed while no server runs, or just before the server was killed, webhooks are told by the next one, and
// what they have not answered yet when it was killed, again: kill -9 between the commit and the delivery loses nothing.
func TestKilledBeforeWebhooksWereTold(t *testing.T) {
	t.Parallel()
	storagetest.EachURL(t, func(t *testing.T, databaseURL string) {
		t.Parallel()
		line, issuer := harness.NewCommandLine(t, databaseURL)
		receiver, hangs := harness.NewWebhookReceiver(t), make(chan struct{})
		receiver.Answer = func(_ http.ResponseWriter, r *http.Request, nth int) {
			if nth == 1 { // the first of all is never answered
				select {
				case <-hangs:
				case <-r.Context().Done():
				}
			}
		}
		t.Cleanup(func() { close(hangs) })
		line.Run(t, "", "migrate")
		var made struct{ Secret string }
		line.JSON(t, &made, "", "webhook", "create", "ops", "--url", receiver.URL, "--type", "user.created")
		receiver.Know(made.Secret)
		want := map[string]bool{}
		create := func(name string) {
			var user harness.PrintedUser
			line.JSON(t, &user, harness.Password, "user", "create", "--username", name, "--password-stdin")
			want[user.ID] = true
		}
		create("before") // no server runs
		server := line.Serve(t, issuer)
		storagetest.Eventually(t, time.Minute, "an attempt is under way", func() bool { return len(receiver.Told()) == 1 })
		server.Kill()
		for round := range 3 {
			server = line.Serve(t, issuer)
			for i := range 3 {
				create(fmt.Sprintf("person-%d-%d", round, i))
			}
			server.Kill() // at once: some were told, some have a number, some wait
		}
		server = line.Serve(t, issuer)
		told := map[string]bool{}
		storagetest.Eventually(t, 8*time.Minute, "all of them are told", func() bool {
			for _, one := range receiver.Told() {
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
