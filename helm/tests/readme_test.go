package tests

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	tableBegins = "<!-- The table is made from values.yaml: make chart -->\n"
	tableEnds   = "<!-- The end of the table. -->\n"
)

// The README's table of values is what values.yaml says.
func TestReadmeHasTheValues(t *testing.T) {
	const file = chartFolder + "/README.md"
	readme := readFile(t, file)
	before, rest, begins := strings.Cut(readme, tableBegins)
	table, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines between which the table stands", file)
	}
	want := valuesTable(t)
	if *update {
		if err := os.WriteFile(file, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		table = want
	}
	if table != want {
		t.Errorf("the table in %s is stale; run: make chart\n%s", file, firstDifference(table, want))
	}
}

// What the README tells people to put into their values is taken.
func TestExamplesWork(t *testing.T) {
	examples := 0
	for _, match := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(
		readFile(t, chartFolder+"/README.md"), -1,
	) {
		example := match[1]
		if strings.HasPrefix(example, "apiVersion:") {
			continue // somebody else's object
		}
		examples++
		if r, err := renderAs(t, testRelease, testNamespace, production, example); err != nil || len(r.objects) == 0 {
			t.Errorf("%v\n%s", err, example)
		}
	}
	if examples < 3 {
		t.Errorf("the README has %d examples", examples)
	}
}

var valueLine = regexp.MustCompile(`^( *)([A-Za-z]+):`)

// valuesTable makes a table of each value that a comment "# --" describes. A value that none describes is an error,
// unless what is below it is described.
func valuesTable(t testing.TB) string {
	t.Helper()
	text := readFile(t, chartFolder+"/values.yaml")
	var defaults object
	if err := yaml.Unmarshal([]byte(text), &defaults); err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| value | what it says | left out |\n|---|---|---|\n")
	var path []string
	var described []string // the paths that a comment describes
	says := ""
	for line := range strings.Lines(text) {
		if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "# -- "); ok {
			says = comment
			continue
		}
		match := valueLine.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		path = append(path[:min(len(path), len(match[1])/2)], match[2])
		name := strings.Join(path, ".")
		inside := false
		for _, above := range described {
			inside = inside || strings.HasPrefix(name, above+".")
		}
		if inside {
			continue
		}
		value := defaults.at(name)
		if says == "" {
			if _, isMap := value.(map[string]any); !isMap {
				t.Errorf("values.yaml does not say what %s is", name)
			}
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| `%s` | %s | `%s` |\n", name, strings.ReplaceAll(says, "|", `\|`), encoded)
		described, says = append(described, name), ""
	}
	return table.String()
}

// The schema knows every value, and values.yaml holds every value that the schema knows but those that a parent chart
// sets.
func TestSchemaAndValuesAgree(t *testing.T) {
	var schema, defaults object
	if err := json.Unmarshal([]byte(readFile(t, chartFolder+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(readFile(t, chartFolder+"/values.yaml")), &defaults); err != nil {
		t.Fatal(err)
	}
	var compare func(where string, schema, values object)
	compare = func(where string, schema, values object) {
		properties, _ := schema.at("properties").(map[string]any)
		for name, property := range properties {
			value, has := values[name]
			if !has && where+name != "global" && where+name != "enabled" {
				t.Errorf("values.yaml lacks %s%s, which the schema knows", where, name)
			}
			inner, isMap := value.(map[string]any)
			if property := object(property.(map[string]any)); isMap && property.at("properties") != nil {
				if property.at("additionalProperties") != false {
					t.Errorf("the schema lets %s%s hold anything", where, name)
				}
				compare(where+name+".", property, inner)
			}
		}
	}
	if schema.at("additionalProperties") != false {
		t.Error("the schema lets values hold anything")
	}
	compare("", schema, defaults)
	if strings.Contains(readFile(t, chartFolder+"/values.schema.json"), `"$ref": "http`) {
		t.Error("the schema refers to the network")
	}
}

// An app in the values may say all that a declared app may.
func TestSchemaKnowsWhatAppsMaySay(t *testing.T) {
	var schema object
	if err := json.Unmarshal([]byte(readFile(t, chartFolder+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	known, _ := schema.at("properties.clients.items.properties").(map[string]any)
	rows := regexp.MustCompile(`(?m)^\| (`+"`[a-z_`, ]+`"+`) \|`).FindAllStringSubmatch(readFile(t, "../../docs/declared-clients.md"), -1)
	if len(rows) < 20 {
		t.Fatalf("the page has %d rows", len(rows))
	}
	for _, row := range rows {
		for name := range strings.SplitSeq(row[1], ", ") {
			if _, is := known[strings.Trim(name, "`")]; !is {
				t.Errorf("the schema does not know %s of an app", name)
			}
		}
	}
}
