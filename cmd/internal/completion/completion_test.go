package completion

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

// grammar has each kind of thing that a command line may have.
type grammar struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"How to print. Not more."`

	App struct {
		Create struct {
			Name    string `required:"" help:"What people read."`
			Trusted *bool  `negatable:"" help:"No questions."`
			Quiet   bool   `short:"q"`
			Secret  string `hidden:""`
		} `cmd:"" help:"Make an app."`
		Delete struct {
			ID string `arg:""`
		} `cmd:""`
	} `cmd:"" help:"Apps."`
	Add struct {
		Kind string `arg:"" enum:"google,github"`
		File string `arg:""`
	} `cmd:""`
	Inner struct{} `cmd:"" hidden:""`
}

func TestNext(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(grammar))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ words, want []string }{
		"nothing yet":              {nil, []string{"app", "add"}},
		"the first word":           {[]string{""}, []string{"app", "add"}},
		"a part of it":             {[]string{"ap"}, []string{"app"}},
		"a hidden one":             {[]string{"in"}, nil},
		"a subcommand":             {[]string{"app", ""}, []string{"create", "delete"}},
		"an argument of any text":  {[]string{"app", "delete", ""}, nil},
		"an argument of a few":     {[]string{"add", "g"}, []string{"google", "github"}},
		"the one after it":         {[]string{"add", "google", ""}, nil},
		"flags":                    {[]string{"app", "create", "--"}, []string{"--help", "--output", "--name", "--trusted", "--no-trusted", "--quiet"}},
		"a part of a flag":         {[]string{"app", "create", "--no-"}, []string{"--no-trusted"}},
		"flags of all commands":    {[]string{"--o"}, []string{"--output"}},
		"a flag's value":           {[]string{"--output", "j"}, []string{"json"}},
		"its value by one letter":  {[]string{"-o", ""}, []string{"text", "json"}},
		"behind an equals sign":    {[]string{"app", "--output=t"}, []string{"--output=text"}},
		"of an unknown flag":       {[]string{"--what=t"}, nil},
		"a value of any text":      {[]string{"app", "create", "--name", "a"}, nil},
		"after a value":            {[]string{"app", "create", "--name", "app", "--q"}, []string{"--quiet"}},
		"after a switch":           {[]string{"-q", "ap"}, []string{"app"}},
		"after a value in one":     {[]string{"--output=json", "ap"}, []string{"app"}},
		"after an unknown flag":    {[]string{"--what", "ap"}, []string{"app"}},
		"where no flags are":       {[]string{"add", "--", "--"}, nil},
		"an argument where none":   {[]string{"add", "--", "go"}, []string{"google"}},
		"more than there can be":   {[]string{"app", "delete", "a", "b", ""}, nil},
		"an unknown command":       {[]string{"what", ""}, []string{"app", "add"}},
		"a lone dash":              {[]string{"app", "delete", "-"}, []string{"--help", "--output"}},
		"an equals sign in a word": {[]string{"add", "a=b"}, nil},
	} {
		var words []string
		for _, candidate := range Next(parser.Model, c.words) {
			words = append(words, candidate.Word)
			if candidate.Word == "--output" && candidate.Help != "How to print" {
				t.Errorf("%s: it helps with %q", name, candidate.Help)
			}
		}
		if !slices.Equal(words, c.want) {
			t.Errorf("%s: %q, want %q", name, words, c.want)
		}
	}
}
