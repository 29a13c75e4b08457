package main

import (
	"time"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/signin"
)

type reportCommands struct {
	Logins reportLogins `cmd:"" help:"Count attempts to sign in: by outcome, by address and by hour; and show addresses that try many names."`
}

type reportLogins struct {
	Hours int `default:"24" help:"How far back to look."`
	Top   int `default:"10" help:"How many addresses to show."`
}

// loginReportView is the report as the command prints it.
type loginReportView struct {
	Since     time.Time        `json:"since"`
	Outcomes  map[string]int64 `json:"outcomes"`
	Addresses []countView      `json:"failures_by_ip"`
	Hours     []countView      `json:"failures_by_hour"`
	ManyNames []countView      `json:"names_tried_by_ip"`
}

type countView struct {
	Key   string `json:"key"`
	Count int64  `json:"count"`
}

// Run prints the report.
func (c reportLogins) Run(ctx operator, s *server.Server, out printer.Printer) error {
	since := identity.Clock().Add(-time.Duration(c.Hours) * time.Hour)
	report, err := s.SignIns.Attempts().Report(ctx, since, c.Top)
	if err != nil {
		return err
	}
	view := loginReportView{
		Since: since, Outcomes: map[string]int64{}, Addresses: viewCounts(report.Addresses),
		Hours: viewCounts(report.Hours), ManyNames: viewCounts(report.Accounts),
	}
	for _, outcome := range report.Outcomes {
		view.Outcomes[outcome.Key] = outcome.Count
	}
	return out.Print(view, func() {
		for _, part := range []struct {
			heading string
			counts  []signin.LoginCount
		}{
			{"OUTCOME", report.Outcomes}, {"FAILURES FROM", report.Addresses}, {"FAILURES IN THE HOUR", report.Hours},
			{"MANY NAMES TRIED FROM", report.Accounts},
		} {
			rows := make([][]any, len(part.counts))
			for i, count := range part.counts {
				rows[i] = []any{count.Key, count.Count}
			}
			out.Table([]any{part.heading, "COUNT"}, rows)
			out.Line("")
		}
	})
}

func viewCounts(counts []signin.LoginCount) []countView {
	views := make([]countView, len(counts))
	for i, count := range counts {
		views[i] = countView(count)
	}
	return views
}
