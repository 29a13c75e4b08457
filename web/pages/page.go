// Package pages holds what a person sees of Wicket on the way in and on the pages of their account: one view struct and
// one template for each page, rendered on the server and complete without JavaScript. The console's pages are made
// likewise, see Parse.
//
// A handler fills a view and gives it to Write. Views hold text that is ready to be read (times and devices already in
// words), and never decide anything. Every value is escaped by html/template for the place where it stands; no page has
// an inline script or style, so a Content-Security-Policy of default-src 'none' with 'self' for styles and scripts fits
// them all.
package pages

import "embed"

// Page is the view of a page.
type Page interface {
	// Template is where its template is, and the file name there.
	Template() (Templates, string)
}

//go:embed *.html
var files embed.FS

var templates = Parse(files, files)
