package identitytest

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/uptrace/bun"
)

// Meanwhile does something once, as soon as a query with that text has been answered: what somebody else might do just
// then. done tells whether it came to that.
func (h *Stack) Meanwhile(text string, do func()) (done func() bool) {
	hook := &meanwhile{text: text, do: do}
	h.Database.Observe(hook)
	return hook.done.Load
}

type meanwhile struct {
	text string
	do   func()
	done atomic.Bool
}

func (*meanwhile) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (m *meanwhile) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if strings.Contains(event.Query, m.text) && m.done.CompareAndSwap(false, true) {
		m.do()
	}
}
