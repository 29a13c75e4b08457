// Package docs holds the pages about kinds of apps, so that the console shows the ones that are written and tested.
package docs

import "embed"

// Apps are those pages: apps/NAME.md.
//
//go:embed apps/*.md
var Apps embed.FS
