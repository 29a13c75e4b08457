package configurationcommands

import (
	"encoding/json"
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/manage/configuration"
)

// Export is wicket export.
type Export struct{}

// Run writes a configuration file of what there is.
func (Export) Run(ctx server.Operator, s *server.Server, out printer.Printer) error {
	file, err := s.Configuration.Export(ctx, by(ctx))
	if err != nil {
		return err
	}
	return out.Print(map[string]string{"file": string(file)}, func() {
		out.Line("%s", strings.TrimSuffix(string(file), "\n"))
	})
}

// Schema is wicket config schema: it asks no server.
type Schema struct{}

// Run prints the JSON Schema of a configuration file.
func (Schema) Run(out printer.Printer) error {
	schema, err := configuration.Schema()
	if err != nil {
		return err
	}
	return out.Print(json.RawMessage(schema), func() { out.Line("%s", schema) })
}
