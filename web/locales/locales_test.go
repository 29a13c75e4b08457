package locales

import (
	"errors"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/wicket-id/wicket/identity/refusal"
)

func TestTextsHaveFormsAndParameters(t *testing.T) {
	all := load(fstest.MapFS{
		"en.toml": {Data: []byte(`
[page]
plain = "It’s <b>"
named = "to {{.App}}"
english = "only here"
[page.left]
one = "one left"
other = "{{.Count}} left"
`)},
		"cs.toml": {Data: []byte(`
[page]
plain = "Prosté"
[page.left]
one = "zbývá jeden"
few = "zbývají {{.Count}}"
other = "zbývá {{.Count}}"
`)},
	})
	for _, c := range []struct {
		tag    string
		key    Key
		params Params
		text   string
	}{
		{"en", "page.plain", nil, "It’s <b>"},
		{"en", "page.named", Params{"App": "<Notes>"}, "to <Notes>"},
		{"en", "page.left", Params{"Count": 1}, "one left"},
		{"en", "page.left", Params{"Count": 2}, "2 left"},
		{"cs", "page.plain", nil, "Prosté"},
		{"cs", "page.left", Params{"Count": 1}, "zbývá jeden"},
		{"cs", "page.left", Params{"Count": 3}, "zbývají 3"},
		{"cs", "page.left", Params{"Count": 7}, "zbývá 7"},
		{"cs", "page.english", nil, "only here"},
		{"cs", "page.named", Params{"App": "Notes"}, "to Notes"},
		{"en", "page.missing", nil, "page.missing"},
	} {
		if text := all[c.tag].Text(c.key, c.params); text != c.text {
			t.Errorf("%s in %s is %q, not %q", c.key, c.tag, text, c.text)
		}
	}
	markup := all["en"].Markup("page.named", Params{"App": `<script>"&`})
	if markup != "to &lt;script&gt;&#34;&amp;" {
		t.Errorf("a parameter is not escaped: %s", markup)
	}
	if markup = all["en"].Markup("page.named", Params{"App": Key("<b>")}); markup != "to &lt;b&gt;" {
		t.Errorf("a parameter that is not a plain string is not escaped: %s", markup)
	}
}

func TestWordsOfAnErrorAreThoseOfItsCode(t *testing.T) {
	limit := refusal.NewWith("factor.limit", "too many", refusal.Params{"Max": 3})
	wrapped := fmt.Errorf("add: %w", limit)
	if text := English.Refusal(wrapped); text != "You have 3 of these already; remove one first." {
		t.Errorf("it says %q", text)
	}
	if !errors.Is(wrapped, refusal.New("factor.limit", "")) || errors.Is(wrapped, refusal.New("factor.last", "")) {
		t.Error("errors are not told apart by their codes")
	}
	if text := English.Refusal(errors.New("connection lost")); text != "" {
		t.Errorf("a fault is told: %q", text)
	}
}

func BenchmarkText(b *testing.B) {
	for b.Loop() {
		English.Text("error.factor.limit", Params{"Max": 3})
	}
}
