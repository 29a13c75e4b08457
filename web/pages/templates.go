package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"

	"github.com/wicket-id/wicket/web/assets"
	"github.com/wicket-id/wicket/web/locales"
)

// Templates are the pages of one package, parsed for each language: by its tag, and by the page's file name.
type Templates map[string]map[string]*template.Template

// What every page of a package has around it, and the parts that it may use.
const (
	layoutFile = "layout.html"
	partsFile  = "parts.html"
)

// Parse reads the pages of a package, each together with the layout (layout.html) and the parts (parts.html) in around,
// with parts of the package's own, if it has some, and with those that are here, such as icons. A fault in one of them
// stops the program at its start.
func Parse(around, pages fs.FS) Templates {
	names, err := fs.Glob(pages, "*.html")
	if err != nil {
		panic(err)
	}
	all := make(Templates)
	for tag, language := range locales.All {
		base := template.New(layoutFile).Funcs(template.FuncMap{
			"asset": assets.Path, "language": language.Tag, "t": language.TextOf, "markup": language.MarkupOf,
		})
		base = template.Must(base.ParseFS(files, partsFile))
		base = template.Must(base.ParseFS(around, layoutFile, partsFile))
		if _, err := fs.Stat(pages, partsFile); err == nil {
			base = template.Must(base.ParseFS(pages, partsFile))
		}
		all[tag] = make(map[string]*template.Template)
		for _, name := range names {
			if name != layoutFile && name != partsFile {
				all[tag][name] = template.Must(template.Must(base.Clone()).ParseFS(pages, name))
				writeWords(all[tag][name], language)
			}
		}
	}
	return all
}

// Write answers with a page in this language under this HTTP status. The page is rendered before the first byte is
// sent: when that fails, nothing has been written and the caller may still answer in another way. It sets Content-Type;
// caching and security headers are the caller's.
func Write(w http.ResponseWriter, status int, language *locales.Language, p Page) error {
	templates, name := p.Template()
	var body bytes.Buffer
	if err := templates[language.Tag()][name].Execute(&body, p); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := body.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
