package server

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage/audit"
)

// InviteFirst tells who started a server on which nobody is registered how to become its owner. If they chose
// the secret of the link, it works from now on. Else show is called with a link where the database is embedded: it
// never goes into the log. Several replicas make no link, for nobody would know whose link counts.
func (s *Server) InviteFirst(ctx context.Context, show func(link string)) error {
	if err := s.reportNoOwner(ctx); err != nil {
		return err
	}
	config := s.Config()
	operator := audit.As(ctx, audit.Actor{Name: "operator"})
	switch {
	case config.FirstInvitation != "":
		open, err := s.SignIns.Invitations().CreateFirstWith(operator, config.FirstInvitation)
		if err == nil && open {
			s.log.Info("nobody is registered yet; the link with the secret in WICKET_FIRST_INVITATION makes the first account, "+
				"the owner's", "link", s.InvitationLink("…"))
		}
		return err
	case config.EmbeddedDatabase() == "":
		people, err := s.Identity.Users().List(ctx, uuid.Nil, 1)
		if err == nil && len(people) == 0 {
			s.log.Info("nobody is registered yet; invite an owner with: wicket user invite --admin owner")
		}
		return err
	}
	secret, err := s.SignIns.Invitations().CreateFirst(operator)
	if err == nil && secret != "" {
		show(s.InvitationLink(secret))
	}
	return err
}

// reportNoOwner tells that people are registered of whom nobody owns this server, as it is where they came before
// there were owners.
func (s *Server) reportNoOwner(ctx context.Context) error {
	people, err := s.Identity.Users().List(ctx, uuid.Nil, 1)
	if err != nil || len(people) == 0 {
		return err
	}
	owned, err := s.Manage.Administrators.AnyOwner(ctx)
	if err == nil && !owned {
		s.log.Warn("nobody owns this server, so that nobody can administer it but by commands; make somebody its owner with: " +
			"wicket admin grant USERNAME owner")
	}
	return err
}

// InvitationLink is the link that makes an account by an invitation.
func (s *Server) InvitationLink(secret string) string {
	return s.Config().Issuer + "/register?" + url.Values{"token": {secret}}.Encode()
}

// ResetLink is the link by which a person chooses another password.
func (s *Server) ResetLink(secret string) string {
	return s.Config().Issuer + "/reset-password?" + url.Values{"token": {secret}}.Encode()
}
