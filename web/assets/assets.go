// Package assets holds the files that the pages are dressed with: one
// stylesheet, a few scripts, and the mark.
//
// Every file is served under a name that carries a hash of its content, such as
// /assets/app.3f2a9c1b.css, so that a browser may keep it for ever and still
// never shows an old one.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"
)

// Root is the URL path below which the assets live.
const Root = "/assets/"

const (
	forever = "public, max-age=31536000, immutable"
	oneDay  = "public, max-age=86400"
)

// contentTypes is written out, because mime.TypeByExtension answers with what
// the operating system happens to say.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

//go:embed *.css *.js *.svg
var files embed.FS

// asset is one file, ready to be sent.
type asset struct {
	body         []byte
	contentType  string
	cacheControl string
}

var (
	paths  = map[string]string{} // file name -> URL path
	served = map[string]asset{}  // URL path -> what is sent
)

func init() {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		body, err := files.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		if path.Ext(e.Name()) == ".css" {
			body = withoutComments(body)
		}
		a := asset{body: body, contentType: contentTypes[path.Ext(e.Name())], cacheControl: forever}
		paths[e.Name()] = hashedPath(e.Name(), body)
		served[paths[e.Name()]] = a
	}
	// Browsers and bookmarks ask for the icon by a name that they have kept, so
	// it also has one that never changes, and which they may not keep for long.
	icon := served[paths["favicon.svg"]]
	icon.cacheControl = oneDay
	served[Root+"favicon.svg"] = icon
}

var (
	comment     = regexp.MustCompile(`(?s)/\*.*?\*/`)
	indentation = regexp.MustCompile(`\n\s*`)
)

// withoutComments is a stylesheet as browsers need it: a third of it is for
// those who read it.
func withoutComments(css []byte) []byte {
	return indentation.ReplaceAll(comment.ReplaceAll(css, nil), []byte("\n"))
}

// hashedPath is the URL path of a file: its name with the first 32 bits of the
// SHA-256 of its content before the extension.
func hashedPath(name string, body []byte) string {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return Root + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext
}

// Path returns the URL path of the file with this name, such as
// "/assets/app.3f2a9c1b.css" for "app.css". It panics when there is no such
// file: names of assets are written in templates, and a wrong one is a fault in
// the program.
func Path(name string) string {
	p, ok := paths[name]
	if !ok {
		panic("assets: no file " + name)
	}
	return p
}

// Handler serves the assets by their hashed names, and the icon as
// /assets/favicon.svg too. It looks at the whole path of the request, so mount
// it at Root without stripping the prefix. Every other path is 404, every
// method but GET and HEAD is 405.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("Cache-Control", a.cacheControl)
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	})
}
