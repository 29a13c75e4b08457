package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/web/pages"
)

// welcome is what a browser sees at the root.
func (s *Server) welcome(c *gin.Context) error {
	session, err := s.session(c)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Welcome{Issuer: s.Provider.Issuer, SignedIn: session != nil})
}

// accountPage shows a person their devices, and which apps are signed in on each.
func (s *Server) accountPage(c *gin.Context) error {
	session, head, err := s.accountHead(c, "/account")
	if err != nil || session == nil {
		return err
	}
	ctx := c.Request.Context()
	sessions, err := s.Identity.Sessions(ctx, session.UserID)
	if err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(sessions))
	for i := range sessions {
		ids[i] = sessions[i].ID
	}
	participations, err := s.Provider.Participations(ctx, ids)
	if err != nil {
		return err
	}
	apps := make(map[uuid.UUID][]pages.App)
	for _, participation := range participations {
		apps[participation.SessionID] = append(apps[participation.SessionID], waiting(participation.Client))
	}
	page := pages.Account{Head: head, Notice: accountNotices[c.Query("done")]}
	for _, device := range sessions {
		page.Devices = append(page.Devices, pages.Device{
			ID: device.ID.String(), Label: device.DeviceLabel, IP: device.LastSeenIP, Mobile: device.IsMobile, Current: device.ID == session.ID,
			SignedIn: s.ago(device.CreatedAt), LastSeen: s.ago(device.LastSeenAt), Apps: apps[device.ID],
		})
	}
	return s.show(c, http.StatusOK, page)
}

var accountNotices = map[string]string{
	"device":  "That device is signed out, and so are its apps.",
	"devices": "All your other devices are signed out.",

	"registered":       "Welcome. A link is on its way to your e-mail address: open it within a day to verify it.",
	"invited":          "Welcome. If your e-mail address is not verified yet, a link is on its way there.",
	"profile":          "Your profile is saved.",
	"password":         "Your password is changed, and your other devices are signed out.",
	"factor-added":     "It is added. We have told you by mail too.",
	"factor-removed":   "It is removed, and your other devices are signed out.",
	"password-removed": "Your password is removed. You sign in with a passkey now.",

	"email-sent":    "A link is on its way. Open it within a day to verify the address.",
	"email-primary": "That is your primary address now.",
	"email-removed": "The address is removed.",

	"linked":   "That account is linked. You can sign in with it from now on.",
	"unlinked": "That account is unlinked, and devices that signed in with it are signed out.",

	"phone-sent":     "A code is on its way. Type it below within ten minutes.",
	"phone-verified": "The number is verified. You can sign in with it.",
	"phone-primary":  "That is your primary number now.",
	"phone-removed":  "The number is removed.",
}

// endDevice ends one session of the person's.
func (s *Server) endDevice(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	id, err := uuid.Parse(c.Request.PostForm.Get("id"))
	if err != nil {
		return errForm
	}
	if id == session.ID {
		return s.endSession(c, session, identity.EndedBySignOut)
	}
	if err := s.Identity.EndDevice(c.Request.Context(), session.UserID, id, s.device(c)); err != nil {
		return err
	}
	return redirect(c, "/account?done=device")
}

// endOtherDevices ends every session of the person's but this.
func (s *Server) endOtherDevices(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	if err := s.Identity.EndOtherDevices(c.Request.Context(), session.UserID, session.ID, s.device(c)); err != nil {
		return err
	}
	return redirect(c, "/account?done=devices")
}

// signOut ends this session.
func (s *Server) signOut(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	return s.endSession(c, session, identity.EndedBySignOut)
}

// signOutEverywhere is the global logout.
func (s *Server) signOutEverywhere(c *gin.Context) error {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return err
	}
	if _, err := s.Identity.SignOutEverywhere(c.Request.Context(), session.UserID, identity.EndedByGlobal); err != nil {
		return err
	}
	s.clearCookies(c)
	return s.show(c, http.StatusOK, pages.SignedOut{})
}

func (s *Server) endSession(c *gin.Context, session *identity.Session, reason string) error {
	if err := s.Identity.EndSession(c.Request.Context(), session.UserID, session.ID, reason); err != nil {
		return err
	}
	s.clearCookies(c)
	return s.show(c, http.StatusOK, pages.SignedOut{})
}

// owner returns the session of the person who posts a form of the account page; nil, after a redirect, if it has ended.
func (s *Server) owner(c *gin.Context) (*identity.Session, error) {
	if _, err := posted(c); err != nil {
		return nil, err
	}
	session, err := s.session(c)
	if err != nil {
		return nil, err
	}
	if session == nil {
		return nil, redirect(c, "/sign-in")
	}
	return session, nil
}

// freshOwner is owner for what could take the account from its owner. then is the page to come back to.
func (s *Server) freshOwner(c *gin.Context, then string) (*identity.Reauthenticated, error) {
	session, err := s.owner(c)
	if err != nil || session == nil {
		return nil, err
	}
	return s.demandStrength(c, session, "", then)
}

// demandStrength returns the proof that a session is up to what could take the account from its owner; nil, after a
// redirect to what it lacks, where it is not. sealed is the request of the app that waits, if any; then is the page
// of ours to come back to where none does.
func (s *Server) demandStrength(c *gin.Context, session *identity.Session, sealed, then string) (*identity.Reauthenticated, error) {
	proof, err := s.Identity.Reauthenticate(c.Request.Context(), session, s.device(c))
	if err != nil {
		return nil, s.supplyStrength(c, sealed, then, err)
	}
	return proof, nil
}

// supplyStrength leads to a fresh sign-in or to a second step where err says that a session lacks one.
func (s *Server) supplyStrength(c *gin.Context, sealed, then string, err error) error {
	switch {
	case errors.Is(err, identity.ErrSignInNotFresh):
		return redirect(c, "/sign-in?"+url.Values{"continue": {sealed}, "then": {then}, "again": {"1"}}.Encode())
	case errors.Is(err, identity.ErrSecondFactorOwed):
		s.setSecondStep(c, "") // this one is asked of the session
		return redirect(c, "/second-step?"+url.Values{"continue": {sealed}, "then": {then}}.Encode())
	}
	return err
}

// accountHead returns the session of the person whose account page is shown, and the head of the page; no session, after a
// redirect, if nobody is signed in.
func (s *Server) accountHead(c *gin.Context, page string) (*identity.Session, pages.AccountHead, error) {
	session, err := s.session(c)
	if err != nil {
		return nil, pages.AccountHead{}, err
	}
	if session == nil {
		return nil, pages.AccountHead{}, redirect(c, "/sign-in")
	}
	person, err := s.describe(c, session.User)
	if err != nil {
		return nil, pages.AccountHead{}, err
	}
	providers, err := s.Upstreams.Active(c.Request.Context())
	if err != nil {
		return nil, pages.AccountHead{}, err
	}
	head := pages.AccountHead{Person: person, Page: page, Phones: s.Identity.Texts, Linked: len(providers) > 0}
	before, err := s.Identity.SignInBefore(c.Request.Context(), session)
	if err != nil {
		return nil, pages.AccountHead{}, err
	}
	if before != nil {
		head.LastSignIn = s.ago(before.AttemptTime) + " from " + before.IPAddress
	}
	return session, head, nil
}

// describe tells a page who is signed in.
func (s *Server) describe(c *gin.Context, user *identity.User) (pages.Person, error) {
	ctx := c.Request.Context()
	profile, err := s.Identity.Profile(ctx, user.ID)
	if err != nil {
		return pages.Person{}, err
	}
	email, err := s.Identity.PrimaryEmail(ctx, user.ID)
	if err != nil {
		return pages.Person{}, err
	}
	person := pages.Person{Username: user.Username, Name: profile.Name}
	if email != nil {
		person.Email = email.Address
	}
	return person, nil
}

// ago says in words how long ago something was.
func (s *Server) ago(at time.Time) string {
	switch passed := s.Now().Sub(at); {
	case passed < time.Minute:
		return "just now"
	case passed < 2*time.Minute:
		return "a minute ago"
	case passed < time.Hour:
		return fmt.Sprintf("%d minutes ago", int(passed.Minutes()))
	case passed < 2*time.Hour:
		return "an hour ago"
	case passed < 24*time.Hour:
		return fmt.Sprintf("%d hours ago", int(passed.Hours()))
	case passed < 48*time.Hour:
		return "yesterday"
	default:
		return "on " + at.Format("2 January 2006")
	}
}
