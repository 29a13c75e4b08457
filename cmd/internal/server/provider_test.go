package server

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProvidersByVariables(t *testing.T) {
	configure := func(variables map[string]string) (*Config, error) {
		variables["WICKET_DATABASE_URL"] = "sqlite:" + filepath.Join(t.TempDir(), "wicket.db")
		return Load(variables)
	}
	config, err := configure(map[string]string{
		"WICKET_GOOGLE_CLIENT_ID": "g", "WICKET_GOOGLE_CLIENT_SECRET": "s",
		"WICKET_MICROSOFT_CLIENT_ID": "m", "WICKET_MICROSOFT_CLIENT_SECRET": "s",
		"WICKET_MICROSOFT_TENANT": "contoso.example",
		"WICKET_GITHUB_CLIENT_ID": "h", "WICKET_GITHUB_CLIENT_SECRET": "s",
		"WICKET_GITHUB_URL":     "https://github.acme.example/",
		"WICKET_OIDC_CLIENT_ID": "o", "WICKET_OIDC_CLIENT_SECRET": "s", "WICKET_OIDC_ISSUER": "https://login.acme.example/",
		"WICKET_OIDC_NAME": "Acme", "WICKET_REGISTRATION": "open",
	})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, p := range config.Providers {
		told = append(told, p.ID+" "+p.Name+" "+p.Issuer+" "+p.Settings.Tenant)
		if !p.Named || !p.IsActive || !p.Settings.Registration {
			t.Errorf("%+v", p)
		}
	}
	want := []string{
		"google Google https://accounts.google.com ",
		"microsoft Microsoft https://login.microsoftonline.com contoso.example",
		"github GitHub https://github.acme.example ",
		"oidc Acme https://login.acme.example/ ",
	}
	if !slices.Equal(told, want) {
		t.Errorf("%q", told)
	}
	if config, err := configure(map[string]string{}); err != nil || len(config.Providers) != 0 {
		t.Errorf("%v, %v", config.Providers, err)
	}
	for want, variables := range map[string]map[string]string{
		"WICKET_GOOGLE_CLIENT_SECRET: is needed beside WICKET_GOOGLE_CLIENT_ID": {"WICKET_GOOGLE_CLIENT_ID": "g"},
		"WICKET_GITHUB_CLIENT_ID: is needed beside WICKET_GITHUB_CLIENT_SECRET": {"WICKET_GITHUB_CLIENT_SECRET": "s"},
		"WICKET_OIDC_NAME: is needed beside WICKET_OIDC_CLIENT_ID": {
			"WICKET_OIDC_CLIENT_ID": "o", "WICKET_OIDC_CLIENT_SECRET": "s", "WICKET_OIDC_ISSUER": "https://login.acme.example",
		},
		"WICKET_MICROSOFT_TENANT: the tenant must be": {
			"WICKET_MICROSOFT_CLIENT_ID": "m", "WICKET_MICROSOFT_CLIENT_SECRET": "s", "WICKET_MICROSOFT_TENANT": "a/b",
		},
		"WICKET_GITHUB_URL: the issuer must begin with https://": {
			"WICKET_GITHUB_CLIENT_ID": "h", "WICKET_GITHUB_CLIENT_SECRET": "s",
			"WICKET_GITHUB_URL": "http://github.acme.example",
		},
	} {
		_, err := configure(variables)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), `"s"`) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
