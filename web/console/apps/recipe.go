package apps

import (
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/docs"
)

// recipe is how to set up apps that are made with something: a page of the documentation, which says where such an app
// expects people back, too.
type recipe struct {
	ID, Title string

	kind     string // of kind
	redirect *url.URL
	bye      *url.URL // after a logout; nil: it says nothing of it
	scopes   []string // that it wants; empty: those of every day will do
	text     string   // Markdown
}

// recipes are those of apps that are registered in a browser, by title.
var recipes = readRecipes()

var (
	recipeTitle    = regexp.MustCompile(`(?m)^# (.*)$`)
	recipeCommand  = regexp.MustCompile(`(?m)^.*\bclient create (?:.*\\\n)*.*\n`)
	recipeRedirect = regexp.MustCompile(`--redirect-uri (\S+)`)
	recipeScope    = regexp.MustCompile(`--scope (\S+)`)
	recipeBye      = regexp.MustCompile(`--post-logout-redirect-uri (\S+)`)
)

// readRecipes reads the pages. One that registers its app for a terminal alone is left out.
func readRecipes() (all []recipe) {
	names, err := fs.Glob(docs.Apps, "apps/*.md")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(docs.Apps, name)
		if err != nil {
			panic(err)
		}
		r := recipe{ID: strings.TrimSuffix(path.Base(name), ".md"), text: string(text), kind: "web"}
		command := recipeCommand.FindString(r.text)
		title, redirect := recipeTitle.FindStringSubmatch(r.text), recipeRedirect.FindStringSubmatch(command)
		if title == nil || redirect == nil {
			continue
		}
		r.Title = title[1]
		if r.redirect, err = url.Parse(redirect[1]); err != nil {
			panic(name + ": " + err.Error())
		}
		if bye := recipeBye.FindStringSubmatch(command); bye != nil {
			if r.bye, err = url.Parse(bye[1]); err != nil {
				panic(name + ": " + err.Error())
			}
		}
		if scopes := recipeScope.FindStringSubmatch(command); scopes != nil {
			r.scopes = strings.Split(scopes[1], ",")
		}
		switch {
		case r.redirect.Host == "":
			r.kind = "native"
		case strings.Contains(command, "--public"):
			r.kind = "spa"
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b recipe) int {
		return strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title))
	})
	return all
}

// recipesFor are those of a kind of app.
func recipesFor(kind string) []recipe {
	return slices.DeleteFunc(slices.Clone(recipes), func(r recipe) bool { return r.kind != kind })
}

// recipeNamed is the one with that id; nil: there is none.
func recipeNamed(id string) *recipe {
	if i := slices.IndexFunc(recipes, func(r recipe) bool { return r.ID == id }); i >= 0 {
		return &recipes[i]
	}
	return nil
}

// at guesses the addresses of an app that is at an origin: where people come back to after they signed in, and after
// they signed out.
func (r *recipe) at(origin *url.URL) (redirect, bye string) {
	place := func(known *url.URL) string {
		there := *origin
		there.Path = strings.TrimSuffix(origin.Path, "/") + known.Path
		return there.String()
	}
	if redirect = place(r.redirect); r.bye != nil {
		bye = place(r.bye)
	}
	return redirect, bye
}

// Block is a piece of a recipe: a heading, a paragraph, or code.
type Block struct {
	Heading string
	Spans   []Span
	Code    string
}

// Span is a piece of a paragraph.
type Span struct {
	Text   string
	IsCode bool
}

// values are what stands in a recipe in place of its examples.
type values struct{ issuer, clientID, clientSecret, origin string }

// fill puts them there. A secret that is not shown any more keeps its place.
func (r *recipe) fill(with values) string {
	known := *r.redirect
	known.Path = ""
	pairs := []string{
		"http://localhost:8080", with.issuer, "https://id.example.com", with.issuer,
		"what `client create` printed", "what is shown above", "the client_id", with.clientID, "'my-spa'", "'" + with.clientID + "'",
	}
	if with.clientSecret != "" {
		pairs = append(pairs, "the client_secret", with.clientSecret)
	}
	if with.origin != "" && known.Host != "" {
		pairs = append(pairs, known.String(), with.origin)
	}
	return strings.NewReplacer(pairs...).Replace(recipeCommand.ReplaceAllString(r.text, ""))
}

var (
	markdownLink = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	markdownBold = regexp.MustCompile(`\*{1,2}([^*]*)\*{1,2}`)
)

// blocks are the pieces of a recipe, less what was done here already: it begins with what one needs, and how to
// register the app.
func (r *recipe) blocks(with values) (all []Block) {
	var paragraph []string
	end := func() {
		text := strings.Join(paragraph, " ")
		paragraph = nil
		switch {
		case text == "", strings.HasPrefix(text, "[Before you begin]"), strings.HasPrefix(text, "Register the app"):
			return
		}
		text = markdownBold.ReplaceAllString(markdownLink.ReplaceAllString(text, "$1"), "$1")
		var spans []Span
		for i, piece := range strings.Split(text, "`") {
			if piece != "" {
				spans = append(spans, Span{piece, i%2 == 1})
			}
		}
		all = append(all, Block{Spans: spans})
	}
	var code []string
	inCode := false
	for line := range strings.Lines(r.fill(with)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			if text := strings.Trim(strings.Join(code, "\n"), "\n"); inCode && text != "" {
				all = append(all, Block{Code: text})
			}
			code, inCode = nil, !inCode
		case inCode:
			code = append(code, line)
		case strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "## "):
			end()
			all = append(all, Block{Heading: strings.TrimPrefix(line, "## ")})
		case line == "", strings.HasPrefix(line, "| "), strings.HasPrefix(line, "|--"):
			end()
			if strings.HasPrefix(line, "| ") {
				paragraph = append(paragraph, strings.ReplaceAll(strings.Trim(line, "| "), " | ", " – "))
				end()
			}
		default:
			paragraph = append(paragraph, strings.TrimPrefix(line, "- "))
		}
	}
	end()
	return all
}
