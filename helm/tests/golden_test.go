package tests

import (
	"os"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"sigs.k8s.io/yaml"
)

// What the chart makes of each value set is what it made when somebody last looked at it.
func TestGoldens(t *testing.T) {
	for name, set := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			r := render(t, set)
			var now strings.Builder
			for _, o := range r.objects {
				encoded, err := yaml.Marshal(o)
				if err != nil {
					t.Fatal(err)
				}
				now.WriteString("---\n" + string(encoded))
			}
			now.WriteString("---\n# NOTES.txt\n" + commented(r.notes))
			golden := "testdata/" + name + ".golden.yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(now.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if was := readFile(t, golden); was != now.String() {
				t.Errorf(
					"the chart makes something else than %s holds; look at the difference after: make chart\n%s", golden,
					firstDifference(was, now.String()),
				)
			}
		})
	}
}

func commented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	return b.String()
}

func firstDifference(was, now string) string {
	before, after := strings.Split(was, "\n"), strings.Split(now, "\n")
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			return "was: " + before[i] + "\nnow: " + after[i]
		}
	}
	return "one is longer"
}

// helm lint --strict finds nothing, on the oldest and the newest Kubernetes that the chart is for.
func TestLint(t *testing.T) {
	for name, set := range valueSets(t) {
		for _, version := range kubernetesVersions {
			t.Run(name+" on "+version, func(t *testing.T) {
				kube, err := common.ParseKubeVersion(version)
				if err != nil {
					t.Fatal(err)
				}
				for _, message := range lint.RunAll(
					chartFolder, values(t, set), testNamespace, lint.WithKubeVersion(kube),
				).Messages {
					t.Error(message)
				}
			})
		}
	}
}
