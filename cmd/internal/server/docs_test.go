package server

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is made from Config anew: make docs")

// What is made from the tags of Config and kept in files is what they say.
func TestDocumentedVariables(t *testing.T) {
	sameFile(t, "../../../docs/configuration.md", configurationPage())
	sameFile(t, "../../../helm/wicket/variables.txt", strings.Join(names(), "\n")+"\n")
}

// sameFile compares a file with what it should hold, or writes it.
func sameFile(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != want {
		t.Errorf("%s is stale (%v); run: make docs", path, err)
	}
}

const pageIntroduction = `# Configuration

<!-- Made from the tags of Config in cmd/internal/server/config.go: make docs -->

Everything comes from variables; none at all means embedded SQLite in './wicket-data'. Each that begins with 'WICKET_'
may instead be given as 'NAME_FILE', the path of a file that holds the value; what is in such files may change while
Wicket runs: docs/secrets.md.

    wicket config check

says what a server would run with: each variable's value, where it comes from, and everything that is wrong. It shows no
secret and changes nothing. A variable that begins with 'WICKET_' and is not listed here is refused, but for those that
Kubernetes sets for a Service called wicket, such as WICKET_SERVICE_HOST, and those of Wicket's own tests.

Requests of Wicket's own, to providers, to the key sets of apps and to who sends text messages, go through the proxy
that 'HTTPS_PROXY', 'HTTP_PROXY' and 'NO_PROXY' name, if any. Addresses that Wicket would not ask itself it does
not ask of the proxy either.

An (s) marks variables that are secrets, or hold one.
`

// configurationPage is docs/configuration.md.
func configurationPage() string {
	var page strings.Builder
	page.WriteString(markdown(pageIntroduction))
	section := ""
	for _, v := range variables() {
		if v.Section != section {
			section = v.Section
			fmt.Fprintf(&page, "\n## %s\n\n| variable | what it says | left out |\n|---|---|---|\n", section)
		}
		names := "`" + strings.Join(v.Names, "`, `") + "`"
		if v.Secret {
			names += " (s)"
		}
		leftOut := markdown(v.Unset)
		if v.Default != "" {
			leftOut = "`" + v.Default + "`"
		}
		fmt.Fprintf(&page, "| %s | %s | %s |\n", names, markdown(v.Help), leftOut)
	}
	return page.String()
}

var (
	mentionedPage     = regexp.MustCompile(`docs/([a-z-]+\.md(#[a-z-]+)?)`)
	mentionedVariable = regexp.MustCompile(`\b(WICKET_[A-Z_]*[A-Z])\b`)
)

// markdown is a text of a tag as it stands in a page of docs.
func markdown(text string) string {
	text = mentionedVariable.ReplaceAllString(text, "`$1`")
	text = typed.ReplaceAllString(text, "$1`$2`")
	return mentionedPage.ReplaceAllString(text, "[$1]($1)")
}

// Whoever reads the help or the page learns of each variable what it says and what is so without it.
func TestEveryVariableIsDescribed(t *testing.T) {
	help := Help()
	for _, v := range variables() {
		name := v.Names[0]
		if v.Help == "" || v.Section == "" || (v.Default == "") == (v.Unset == "") {
			t.Errorf("%s needs a help, a section, and either a default or an unset", name)
		}
		if strings.Contains(v.Help+v.Unset, "${") {
			t.Errorf("%s: something is missing in %q", name, v.Help)
		}
		if !strings.Contains(help, "  "+strings.Join(v.Names, " or ")+"\n") {
			t.Errorf("%s is not in the help", name)
		}
		looksSecret := strings.Contains(name, "SECRET") || strings.HasSuffix(name, "DATABASE_URL") ||
			strings.HasSuffix(name, "REDIS_URL") || strings.HasSuffix(name, "SMTP_URL")
		if looksSecret && !v.Secret {
			t.Errorf("%s would be shown", name)
		}
	}
}

// The other pages name no variable that does not exist.
func TestPagesNameVariablesThatExist(t *testing.T) {
	known := names()
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("there are no pages: %v", err)
	}
	for _, page := range append(pages, "../../../README.md", "../../../helm/wicket/README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range mentionedVariable.FindAllString(string(content), -1) {
			bare := strings.TrimSuffix(match, fileSuffix)
			isKnown := slices.ContainsFunc(known, func(name string) bool {
				return name == bare || strings.HasPrefix(name, bare+"_") // WICKET_GOOGLE_… stands for several
			})
			if !isKnown && !foreign.MatchString(match) && match != "WICKET_NAME" {
				t.Errorf("%s names %s", page, match)
			}
		}
	}
}
