package main

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// What the exit code tells a script, besides 0.
const (
	exitFailed   = 1 // it failed, or was refused
	exitUsage    = 2 // the command line is wrong; nothing was tried
	exitNotFound = 3 // what it names does not exist
	exitConflict = 4 // what exists already, or somebody else's change, is in the way
)

// coded is an error that has an exit code of its own.
type coded struct {
	error
	code int
}

func usage(format string, args ...any) error { return coded{fmt.Errorf(format, args...), exitUsage} }

func notFound(format string, args ...any) error {
	return coded{fmt.Errorf(format, args...), exitNotFound}
}

// conflicts are the errors below that say that something is in the way.
var conflicts = []error{
	identity.ErrUsernameTaken, identity.ErrEmailTaken, identity.ErrRoleHeld, identity.ErrRoleNotHeld,
	clients.ErrClientExists, clients.ErrClientChanged, apis.ErrAPIExists, apis.ErrAPIChanged, federation.ErrProviderTaken,
}

// exitCode is what the process ends with after that error.
func exitCode(err error) int {
	if with := (coded{}); errors.As(err, &with) {
		return with.code
	}
	if wrong := (*kong.ParseError)(nil); errors.As(err, &wrong) {
		return exitUsage
	}
	if errors.Is(err, storage.ErrNotFound) {
		return exitNotFound
	}
	for _, conflict := range conflicts {
		if errors.Is(err, conflict) {
			return exitConflict
		}
	}
	return exitFailed
}
