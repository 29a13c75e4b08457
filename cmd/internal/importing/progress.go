package importing

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	progressInterval = 10 * time.Second
	progressOnScreen = 200 * time.Millisecond
)

// Progress tells how far an import is: one line that is written over on a screen, else a line every ten seconds.
type Progress struct {
	Out    io.Writer
	Screen bool  // somebody looks at Out
	Size   int64 // of the file in bytes; 0: not known
	Began  time.Time
	Now    func() time.Time

	last  time.Time
	read  int64 // bytes
	shown bool
}

func (p *Progress) show(summary Summary, length int) {
	p.read += int64(length)
	interval := progressInterval
	if p.Screen {
		interval = progressOnScreen
	}
	now := p.Now()
	if p.last.IsZero() {
		p.last = p.Began
	}
	if now.Sub(p.last) < interval {
		return
	}
	p.last, p.shown = now, true
	p.write(summary, now)
}

func (p *Progress) write(summary Summary, now time.Time) {
	speed := float64(summary.Lines) / max(now.Sub(p.Began).Seconds(), 0.001)
	text := fmt.Sprintf("%d lines, %.0f a second, %d refused", summary.Lines, speed, summary.Refused)
	if p.Size > 0 {
		const width = 20
		done := int(min(width, p.read*width/p.Size))
		bar := strings.Repeat("#", done) + strings.Repeat(".", width-done)
		text = fmt.Sprintf("[%s] %3d%%  %s", bar, min(100, p.read*100/p.Size), text)
	}
	if p.Screen {
		_, _ = fmt.Fprintf(p.Out, "\r%s\x1b[K", text)
	} else {
		_, _ = fmt.Fprintln(p.Out, text)
	}
}

// End leaves the line as it is at last.
func (p *Progress) End(summary Summary) {
	if p.Screen && p.shown {
		p.write(summary, p.Now())
		_, _ = fmt.Fprintln(p.Out)
	}
}
