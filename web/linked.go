package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// linkedPage shows a person the accounts of elsewhere that they sign in with.
func (s *Server) linkedPage(c *gin.Context) error { return s.showLinked(c, http.StatusOK, "") }

func (s *Server) showLinked(c *gin.Context, status int, failure string) error {
	session, head, err := s.accountHead(c, "/account/linked")
	if err != nil || session == nil {
		return err
	}
	ctx := c.Request.Context()
	accounts, err := s.Identity.ExternalAccounts(ctx, session.UserID)
	if err != nil {
		return err
	}
	providers, err := s.Upstreams.Active(ctx)
	if err != nil {
		return err
	}
	page := pages.Linked{Head: head, Failure: failure, Notice: accountNotices[c.Query("done")], Providers: s.offerThese(c, nil, providers).Buttons}
	for _, account := range accounts {
		shown := pages.LinkedAccount{
			ID: account.ID.String(), Provider: pages.Provider{ID: account.Provider, Name: account.Provider}, Label: account.Label,
			Linked: s.ago(account.CreatedAt), Used: s.ago(account.LastUsedAt), Off: true,
		}
		for i := range providers {
			if providers[i].ID == account.Provider {
				shown.Provider, shown.Off = button(&providers[i]), false
			}
		}
		page.Accounts = append(page.Accounts, shown)
	}
	return s.show(c, status, page)
}

// addLinked sends a person to a provider to bring another account along. It is a way in, so they must have signed in just
// now.
func (s *Server) addLinked(c *gin.Context) error {
	session, err := s.freshOwner(c, "/account/linked")
	if err != nil || session == nil {
		return err
	}
	return s.sendUpstream(c, nil, c.Request.PostForm.Get("provider"), federation.Beginning{Browser: s.markedBrowser(c), LinkTo: session.UserID, Select: true})
}

// linkAnswer links what a person brought along to the account for which they went, if they are still signed in to it.
func (s *Server) linkAnswer(c *gin.Context, answer *federation.Answer, fault error) error {
	session, err := s.session(c)
	if err != nil {
		return err
	}
	switch {
	case session == nil || session.UserID != answer.LinkTo:
		return redirect(c, "/sign-in?again=1")
	case fault != nil:
		var denied *federation.Denied
		if errors.As(fault, &denied) {
			return s.showLinked(c, http.StatusOK, "Nothing is linked: you did not go on there.")
		}
		s.Log.WarnContext(c.Request.Context(), "a provider did not link somebody", "provider", c.Param("provider"), "error", fault.Error())
		return s.showLinked(c, http.StatusBadGateway, "Nothing is linked: what came back could not be verified. Try again in a moment.")
	}
	owner, err := s.demandStrength(c, session, "", "/account/linked")
	if err != nil || owner == nil {
		return err
	}
	err = s.Identity.LinkExternal(c.Request.Context(), owner, answer.External)
	if isLinkFault(err) {
		return s.showLinked(c, http.StatusConflict, sentence(err))
	} else if err != nil {
		return err
	}
	return redirect(c, "/account/linked?done=linked")
}

func isLinkFault(err error) bool {
	return errors.Is(err, identity.ErrExternalTaken) || errors.Is(err, identity.ErrTooManyExternals)
}

// removeLinked takes a way in away, never the last one.
func (s *Server) removeLinked(c *gin.Context) error {
	session, err := s.freshOwner(c, "/account/linked")
	if err != nil || session == nil {
		return err
	}
	providers, err := s.Upstreams.Active(c.Request.Context())
	if err != nil {
		return err
	}
	var usable []string
	for _, p := range providers {
		usable = append(usable, p.ID)
	}
	id, _ := uuid.Parse(c.Request.PostForm.Get("id")) // none is nobody's
	err = s.Identity.UnlinkExternal(c.Request.Context(), session, id, usable)
	if errors.Is(err, identity.ErrLastWayIn) {
		return s.showLinked(c, http.StatusConflict, sentence(err))
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) { // gone already: the page shows what there is
		return err
	}
	return redirect(c, "/account/linked?done=unlinked")
}
