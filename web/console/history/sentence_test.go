package history

import (
	"testing"

	"github.com/wicket-id/wicket/manage/events"
)

// Each kind of line of the audit trail is told in words.
func TestEachKindOfLineHasASentence(t *testing.T) {
	for _, of := range events.Types() {
		if _, ok := sentences[of.Entity+"."+of.Action]; !ok {
			t.Errorf("nothing says in the console that of %s: %s", of.Entity, of.Action)
		}
	}
}
