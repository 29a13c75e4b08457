package moving

import (
	"bytes"
	"testing"
	"time"

	"github.com/wicket-id/wicket/storage/copying"
)

func TestCopyProgress(t *testing.T) {
	now := time.Now()
	var out bytes.Buffer
	p := progress{out: &out, now: func() time.Time { return now }, last: now}
	p.show(copying.Filling, "users", 1000)
	now = now.Add(progressInterval)
	p.show(copying.Filling, "users", 2000)
	p.end()
	if out.String() != "copying users: 2000 rows\n" {
		t.Errorf("into a file: %q", &out)
	}
	out.Reset()
	p.screen = true
	now = now.Add(progressOnScreen)
	p.show(copying.Verifying, "users", 3000)
	p.end()
	if out.String() != "\rverifying users: 3000 rows\x1b[K\r\x1b[K" {
		t.Errorf("on a screen: %q", &out)
	}
}
