// Package pages holds what a person sees of Wicket: one view struct and one
// template for each page, rendered on the server and complete without
// JavaScript.
//
// A handler fills a view and gives it to Write. Views hold text that is ready
// to be read (times and devices already in words), and never decide anything.
// Every value is escaped by html/template for the place where it stands; no
// page has an inline script or style, so a Content-Security-Policy of
// default-src 'none' with 'self' for styles and scripts fits them all.
package pages

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/wicket-id/wicket/web/assets"
	"github.com/wicket-id/wicket/web/locales"
)

// Page is one of the views in this package.
type Page interface {
	page() string // the file name of its template
}

//go:embed *.html
var files embed.FS

// templates are parsed for each language, by its tag and the page's file name.
var templates = parseAll()

// parseAll reads every page's template together with the layout and the parts that pages share. A fault in one of them
// stops the program at its start.
func parseAll() map[string]map[string]*template.Template {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		panic(err)
	}
	all := make(map[string]map[string]*template.Template)
	for tag, language := range locales.All {
		base := template.New("layout.html").Funcs(template.FuncMap{
			"asset": assets.Path, "language": language.Tag, "t": language.TextOf, "markup": language.MarkupOf,
		})
		base = template.Must(base.ParseFS(files, "layout.html", "parts.html"))
		all[tag] = make(map[string]*template.Template)
		for _, name := range names {
			if name != "layout.html" && name != "parts.html" {
				all[tag][name] = template.Must(template.Must(base.Clone()).ParseFS(files, name))
				writeWords(all[tag][name], language)
			}
		}
	}
	return all
}

// Write answers with the page in this language under this HTTP status. The page is rendered
// before the first byte is sent: when that fails, nothing has been written and
// the caller may still answer in another way. It sets Content-Type; caching and
// security headers are the caller's.
func Write(w http.ResponseWriter, status int, language *locales.Language, p Page) error {
	var body bytes.Buffer
	if err := templates[language.Tag()][p.page()].Execute(&body, p); err != nil {
		return fmt.Errorf("render %s: %w", p.page(), err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", p.page(), err)
	}
	return nil
}
