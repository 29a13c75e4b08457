package tests

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

// expressions returns what the alerts and the dashboard ask Prometheus, by what asks.
func expressions(t testing.TB) map[string]string {
	t.Helper()
	r := render(t, readFile(t, "testdata/production.values.yaml"))
	asked := map[string]string{}
	for _, rule := range r.one(t, "PrometheusRule", "").list("spec.groups.0.rules") {
		rule := object(rule.(map[string]any))
		asked["alert "+rule.text("alert")] = rule.text("expr")
		if rule.text("annotations.summary") == "" || rule.text("labels.severity") == "" {
			t.Errorf("the alert %s says too little", rule.text("alert"))
		}
	}
	var dashboard object
	if err := json.Unmarshal(
		[]byte(r.one(t, "ConfigMap", "-dashboard").text("data.wicket~json")), &dashboard,
	); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.list("panels") {
		panel := object(panel.(map[string]any))
		for _, target := range panel.list("targets") {
			target := object(target.(map[string]any))
			asked["panel "+panel.text("title")+" "+target.text("refId")] = strings.ReplaceAll(
				target.text("expr"), "$__rate_interval", "5m",
			)
		}
	}
	return asked
}

// Prometheus understands every question, and each is about this release alone.
func TestQuestionsToPrometheus(t *testing.T) {
	asked := expressions(t)
	if len(asked) < 20 {
		t.Errorf("there are %d questions", len(asked))
	}
	reader := parser.NewParser(parser.Options{})
	for what, expression := range asked {
		parsed, err := reader.ParseExpr(expression)
		if err != nil {
			t.Errorf("%s: %v\n%s", what, err, expression)
			continue
		}
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			if selector, ok := node.(*parser.VectorSelector); ok && !strings.Contains(selector.String(), `job="`) {
				t.Errorf("%s asks all jobs: %s", what, selector)
			}
			return nil
		})
	}
}

// Every metric that alerts and dashboard name is one that Wicket has.
func TestMetricsExist(t *testing.T) {
	source, err := os.ReadFile("../../cmd/internal/server/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`"(wicket_[a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		known[name[1]] = true
	}
	for what, expression := range expressions(t) {
		for _, name := range regexp.MustCompile(`\bwicket_[a-z_]+`).FindAllString(expression, -1) {
			if !known[name] && !known[strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")] {
				t.Errorf("%s asks for %s, which Wicket does not have", what, name)
			}
		}
	}
}
