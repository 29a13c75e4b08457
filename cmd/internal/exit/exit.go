// Package exit is what the exit code of wicket tells a script. Begin with Code.
package exit

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// What the exit code tells, besides 0.
const (
	failed   = 1 // it failed, or was refused
	wrong    = 2 // the command line is wrong; nothing was tried
	changes  = 2 // of wicket plan: there is something to do
	notFound = 3 // what it names does not exist
	conflict = 4 // what exists already, or somebody else's change, is in the way
)

// coded is an error that has an exit code of its own.
type coded struct {
	error
	code int
}

// Usage is an error of who has typed the command.
func Usage(format string, args ...any) error { return coded{fmt.Errorf(format, args...), wrong} }

// Failed is any other error.
func Failed(format string, args ...any) error { return coded{fmt.Errorf(format, args...), failed} }

// Changes says that a plan is not empty. There is nothing to tell of it.
func Changes() error { return coded{errors.New(""), changes} }

// NotFound says that what a command names does not exist.
func NotFound(format string, args ...any) error { return coded{fmt.Errorf(format, args...), notFound} }

// Conflict says that something is in the way.
func Conflict(format string, args ...any) error { return coded{fmt.Errorf(format, args...), conflict} }

// conflicts are the errors below that say that something is in the way.
var conflicts = []error{
	identity.ErrUsernameTaken, identity.ErrEmailTaken, identity.ErrRoleHeld, identity.ErrRoleNotHeld,
	groups.ErrGroupExists, groups.ErrMember, groups.ErrNotMember, groups.ErrRoleHeld, groups.ErrRoleNotHeld,
	administrators.ErrHeld, administrators.ErrNotHeld, administrators.ErrLastOwner, clients.ErrClientExists,
	clients.ErrClientChanged, apis.ErrAPIExists, apis.ErrAPIChanged, federation.ErrProviderTaken,
	declared.ErrDeclared, configuration.ErrMoved,
}

// Code is what the process ends with after that error.
func Code(err error) int {
	if with := (coded{}); errors.As(err, &with) {
		return with.code
	}
	if mistyped := (*kong.ParseError)(nil); errors.As(err, &mistyped) {
		return wrong
	}
	if errors.Is(err, storage.ErrNotFound) {
		return notFound
	}
	for _, known := range conflicts {
		if errors.Is(err, known) {
			return conflict
		}
	}
	return failed
}
