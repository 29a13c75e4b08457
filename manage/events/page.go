package events

import (
	"fmt"
	"slices"
	"strings"
)

const introduction = `# Events

<!-- Made from manage/events/catalogue.go: go test ./manage/events -update -->

What webhooks are told of, and what is in the feed: [webhooks.md](webhooks.md). A name keeps its meaning; members may be
added to an event, and names to this list. Where a meaning has to change, ` + "`version`" + ` becomes another number; it is
%d for all of them now.

Each is a line of the audit trail, whose ` + "`entity`" + ` is told too: where one name stands for several of them, it says
which. ` + "`data.id`" + ` is the id of that thing, and ` + "`data.user_id`" + ` the person whom it is about. Attempts to sign in that
fail change nothing, so there is no event for each: ` + "`user.locked`" + ` tells when they become many, and
` + "`/api/v1/login-attempts`" + ` has them all.

| type | what has happened | entity |
|---|---|---|
`

// Document is the page of the documentation that lists them.
func Document() string {
	var page strings.Builder
	fmt.Fprintf(&page, introduction, Version)
	for _, name := range Names() {
		var entities []string
		words := ""
		for _, t := range catalogue {
			if t.Name != name {
				continue
			}
			if t.Words != "" {
				words = t.Words
			}
			if entity := "`" + t.Entity + "`"; !slices.Contains(entities, entity) {
				entities = append(entities, entity)
			}
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", name, words, strings.Join(entities, ", "))
	}
	return page.String()
}
