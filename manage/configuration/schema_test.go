package configuration_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/wicket-id/wicket/manage/configuration"
)

// fits tells what of a value a schema does not know, by the few words that ours uses; "" where it knows all.
func fits(schema map[string]any, value any, path string) string {
	if choices, ok := schema["anyOf"].([]any); ok {
		misfit := ""
		for _, choice := range choices {
			if misfit = fits(choice.(map[string]any), value, path); misfit == "" {
				return ""
			}
		}
		return misfit
	}
	types := map[string]bool{}
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		types["string"] = true
	case bool:
		types["boolean"] = true
	case float64:
		types["integer"] = value == float64(int64(value))
	case []any:
		types["array"] = true
		items, _ := schema["items"].(map[string]any)
		for _, item := range value {
			if misfit := fits(items, item, path+"[]"); misfit != "" {
				return misfit
			}
		}
	case map[string]any:
		types["object"] = true
		known, _ := schema["properties"].(map[string]any)
		for name, member := range value {
			property, ok := known[name].(map[string]any)
			if !ok && schema["additionalProperties"] == false {
				return path + "." + name
			}
			if misfit := fits(property, member, path+"."+name); misfit != "" && ok {
				return misfit
			}
		}
	}
	if name, _ := schema["type"].(string); !types[name] {
		return path
	}
	return ""
}

// The schema that editors go by knows every file that can be applied, and no field that there is none of.
func TestSchema(t *testing.T) {
	t.Parallel()
	encoded, err := configuration.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(encoded, &schema); err != nil {
		t.Fatal(err)
	}
	read := func(file string) any {
		t.Helper()
		text, err := yaml.YAMLToJSON([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for _, file := range append(files, whole, empty, upstream) {
		if misfit := fits(schema, read(file), ""); misfit != "" {
			t.Errorf("the schema does not know %s of\n%s", misfit, file)
		}
	}
	for file, want := range map[string]string{
		"version: 1\ngroup: []":                              ".group",
		"version: 1\nclients: [{client_secret: x}]":          ".clients[].client_secret",
		"version: 1\nclients: [{access: true}]":              ".clients[].access",
		"version: 1\nclients: [{redirect_uris: x}]":          ".clients[].redirect_uris",
		"version: 1\nproviders: [{settings: {domain: [x]}}]": ".providers[].settings.domain",
	} {
		if misfit := fits(schema, read(file), ""); misfit != want {
			t.Errorf("%s: %q, want %q", file, misfit, want)
		}
	}
	if !strings.Contains(string(encoded), `"description": "Groups of people."`) {
		t.Error("it describes nothing")
	}
}

// The example of the documentation can be applied as it stands.
func TestDocumentedFile(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/configuration-file.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("there is no example")
	}
	each(t, func(t *testing.T, b *bench) {
		const want = "created group staff, created client grafana, created api https://orders.example.com"
		if plan := b.apply(t, string(example[1]), ""); said(plan) != want {
			t.Error(said(plan))
		}
	})
}
