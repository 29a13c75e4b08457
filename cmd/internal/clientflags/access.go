package clientflags

import (
	"context"
	"errors"
	"io"

	"github.com/wicket-id/wicket/cmd/internal/exit"
	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Access is who may use an app, and what it is told of the groups of people; nil: nothing is said of it.
type Access struct {
	Access      *string  `name:"access" help:"Who may use the app: everyone (default), or listed, which are the people of the groups of --access-group. It counts at once, for those too who are signed in there."`
	AccessGroup []string `name:"access-group" sep:"none" placeholder:"SLUG" help:"A group whose people may use the app, with --access listed. Repeat it for several."`
	GroupsClaim *string  `name:"groups-claim" help:"What the app calls the claim that tells of groups, where it asks for the scope groups: groups (default)."`
	Groups      *string  `name:"groups" help:"Which groups of a person the app is told: all (default); access, those of --access-group; or prefix:P, those whose slugs begin with P."`
}

// apply changes an app as the flags say. It returns an error for a group that does not exist.
func (a *Access) apply(ctx context.Context, s *server.Server, client *clients.Client, warnings io.Writer) error {
	for to, from := range map[*string]*string{
		&client.Access: a.Access, &client.GroupsClaim: a.GroupsClaim, &client.GroupsTold: a.Groups,
	} {
		if from != nil {
			*to = *from
		}
	}
	switch {
	case a.AccessGroup != nil:
		client.AccessGroups = nil
	case client.Access != access.Listed: // the list has no meaning then
		client.AccessGroups = nil
	}
	for _, slug := range a.AccessGroup {
		if slug == "" {
			continue
		}
		if _, err := s.Identity.Groups().Find(ctx, slug); errors.Is(err, storage.ErrNotFound) {
			return exit.NotFound("there is no group %q; make it with wicket group create", slug)
		} else if err != nil {
			return err
		}
		client.AccessGroups = append(client.AccessGroups, slug)
	}
	if client.Access == access.Listed && len(client.AccessGroups) == 0 {
		warn(warnings, "nobody may use this app, because no group is listed for it: name one with --access-group")
	}
	return nil
}
