package main

import (
	"runtime/debug"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/printer"
)

// released is the version that the build was told; empty: the build information has one.
var released string

type versionCommand struct{}

// Run prints what was built, of which commit and by which Go, as far as the build has noted it.
func (versionCommand) Run(out printer.Printer) error {
	view := struct {
		Version  string `json:"version"`
		Revision string `json:"revision"`
		Modified bool   `json:"modified"` // not all of it was committed
		Go       string `json:"go"`
	}{Version: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		view.Version, view.Go = info.Main.Version, info.GoVersion
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				view.Revision = setting.Value
			case "vcs.modified":
				view.Modified = setting.Value == "true"
			}
		}
	}
	if released != "" {
		view.Version = released
	}
	return out.Print(view, func() {
		out.Line("%s", strings.Join(strings.Fields("wicket "+view.Version+" "+view.Revision+" "+view.Go), " "))
	})
}
