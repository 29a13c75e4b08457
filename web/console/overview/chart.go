package overview

import (
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/frame"
)

// chartHours is how many hours the chart shows.
const chartHours = 48

// The chart's measures, in the units of its view box.
const (
	chartHeight = 120
	barWidth    = 8
	barGap      = 4
)

// chart shows what came of the attempts to sign in, an hour a bar. Its template has presentation attributes only, for
// the page's policy allows no inline style.
type chart struct {
	Width, Height int
	Bars          []bar
	Empty         bool
}

type bar struct {
	X, Width                int
	SuccessY, SuccessHeight int
	FailureY, FailureHeight int
	Hour                    string
	Success, Failures       int64
}

func newChart(v *frame.Visit, hours []activity.Hour) *chart {
	var most int64
	for _, hour := range hours {
		most = max(most, hour.Success+hour.Failures)
	}
	c := &chart{Width: len(hours) * (barWidth + barGap), Height: chartHeight, Empty: most == 0}
	for i, hour := range hours {
		b := bar{
			X: i * (barWidth + barGap), Width: barWidth, Hour: v.Language.Moment(hour.Hour), Success: hour.Success,
			Failures: hour.Failures, SuccessHeight: height(hour.Success, most), FailureHeight: height(hour.Failures, most),
		}
		b.SuccessY = chartHeight - b.SuccessHeight
		b.FailureY = b.SuccessY - b.FailureHeight
		c.Bars = append(c.Bars, b)
	}
	return c
}

// height is how high a bar is: what is more than nothing can be seen.
func height(n, most int64) int {
	if n == 0 {
		return 0
	}
	return max(2, int(n*(chartHeight-4)/most))
}
