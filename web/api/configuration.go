package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/configuration"
)

const tagConfiguration = "configuration"

// ConfigurationFile is a configuration file as it is sent and exported.
type ConfigurationFile struct {
	File string `json:"file" maxLength:"200000" doc:"The file, in YAML or JSON: docs/configuration-file.md."`
}

// ConfigurationRequest is a file that is to be planned.
type ConfigurationRequest struct {
	ConfigurationFile
	Prune configuration.Prune `json:"prune,omitempty" enum:"disable,delete" doc:"What becomes of what the file has declared and names no more. Left out: it stays."`
}

// document reads the file. Nothing is read for it on this server: secrets are in it, as client_secret.
func (p *ConfigurationRequest) document() (*configuration.Document, error) {
	return configuration.Read([]byte(p.File), configuration.Secrets{Inline: true})
}

// configured are the operations on configuration files.
func configured(a *API) {
	register(a, operation{
		id: "export-configuration", method: http.MethodGet, path: "/configuration", tag: tagConfiguration,
		permission: manage.ReadConfiguration, summary: "Write a configuration file of what there is, without secrets",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*body[ConfigurationFile], error) {
		file, err := a.Configuration.Export(ctx, by)
		return bodied(&ConfigurationFile{string(file)}, err)
	})

	type plan struct{ Body ConfigurationRequest }
	register(a, operation{
		id: "plan-configuration", method: http.MethodPost, path: "/configuration/plan", tag: tagConfiguration,
		permission: manage.ApplyConfiguration, summary: "Tell what applying a configuration file would change",
	}, func(ctx context.Context, by manage.Caller, in *plan) (*body[configuration.Plan], error) {
		document, err := in.Body.document()
		if err != nil {
			return nil, err
		}
		return bodied(a.Configuration.Plan(ctx, by, document, in.Body.Prune))
	})

	type apply struct {
		Body struct {
			ConfigurationRequest
			Plan string `json:"plan,omitempty" maxLength:"100" doc:"The digest of a plan: do what it said, or nothing."`
		}
	}
	register(a, operation{
		id: "apply-configuration", method: http.MethodPost, path: "/configuration/apply", tag: tagConfiguration,
		permission: manage.ApplyConfiguration, summary: "Make this server what a configuration file declares",
	}, func(ctx context.Context, by manage.Caller, in *apply) (*body[configuration.Plan], error) {
		document, err := in.Body.document()
		if err != nil {
			return nil, err
		}
		return bodied(a.Configuration.Apply(ctx, by, document, in.Body.Prune, in.Body.Plan))
	})

	type detach struct {
		Body struct {
			Kind string `json:"kind" enum:"group,client,api,provider"`
			ID   string `json:"id" maxLength:"500" doc:"The slug of the group, the client_id of the app, the identifier of the API, or the id of the provider."`
		}
	}
	register(a, operation{
		id: "detach-configuration", method: http.MethodPost, path: "/configuration/detach", tag: tagConfiguration,
		permission: manage.ApplyConfiguration, status: http.StatusNoContent,
		summary: "Take something out of the hands of the configuration file that declares it",
	}, func(ctx context.Context, by manage.Caller, in *detach) (*none, error) {
		return done(a.Configuration.Detach(ctx, by, in.Body.Kind, in.Body.ID))
	})
}
