package server

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/storage/audit"
)

// InviteFirst tells who started a server on which nobody is registered how to become its administrator. If they chose
// the secret of the link, it works from now on. Else show is called with a link where the database is embedded: it
// never goes into the log. Several replicas make no link, for nobody would know whose link counts.
func (s *Server) InviteFirst(ctx context.Context, show func(link string)) error {
	config := s.Config()
	operator := audit.As(ctx, audit.Actor{Name: "operator"})
	switch {
	case config.FirstInvitation != "":
		open, err := s.SignIns.Invitations().CreateFirstWith(operator, config.FirstInvitation)
		if err == nil && open {
			s.log.Info("nobody is registered yet; the link with the secret in WICKET_FIRST_INVITATION makes the first account, "+
				"an administrator's", "link", s.InvitationLink("…"))
		}
		return err
	case config.EmbeddedDatabase() == "":
		people, err := s.Identity.Users().List(ctx, uuid.Nil, 1)
		if err == nil && len(people) == 0 {
			s.log.Info("nobody is registered yet; invite an administrator with: wicket user invite --role admin")
		}
		return err
	}
	secret, err := s.SignIns.Invitations().CreateFirst(operator)
	if err == nil && secret != "" {
		show(s.InvitationLink(secret))
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
