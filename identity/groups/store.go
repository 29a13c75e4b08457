// Package groups is who is in which group, and what the people of a group may do together. Groups hold people, never
// other groups. Begin with Store and Group.
package groups

import (
	"time"

	"github.com/wicket-id/wicket/storage"
)

// Store keeps groups; set all of its fields.
type Store struct {
	Database *storage.Database

	Now func() time.Time // UTC, to the microsecond
}

// Who says that there is a group, or that somebody is in it. A source takes back only what it has said itself.
const (
	SourceHere     = "here"     // an operator
	SourceDeclared = "declared" // a group that a declared app names
)

// SourceOf is the source that a provider upstream is, by its id.
func SourceOf(provider string) string { return "provider:" + provider }
