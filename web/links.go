package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/pages"
)

// Links in mail lead to a page that asks for one press of a button: programs that look into mail follow links, but press
// no buttons.

func (s *Server) verifyEmailPage(c *gin.Context) error {
	address, username, err := s.Identity.EmailToVerify(c.Request.Context(), c.Query("token"))
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Confirm{
		Title: "Verify your e-mail address", Text: "The address " + address + " will belong to the account " + username + ". Go on only if that account is yours.",
		Action: "/verify-email", Token: c.Query("token"), Button: "Verify this address",
	})
}

func (s *Server) verifyEmail(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	email, err := s.Identity.VerifyEmail(c.Request.Context(), form.Get("token"))
	if errors.Is(err, identity.ErrEmailTaken) {
		return s.show(c, http.StatusConflict, pages.Failure{
			Title: "This address is taken", Explanation: "Another account has verified it already.", Advice: "If that account is yours too, sign in to it, or use another address here.",
		})
	} else if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Done{Title: "Your address is verified", Text: email.Address, NextURI: "/account/emails", NextLabel: "To your addresses"})
}

func (s *Server) unlockPage(c *gin.Context) error {
	return s.show(c, http.StatusOK, pages.Confirm{
		Title: "Open your account", Text: "Wrong passwords have locked it for a while. You need not wait.",
		Action: "/unlock", Token: c.Query("token"), Button: "Open my account",
	})
}

func (s *Server) unlock(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	if err := s.Identity.Unlock(c.Request.Context(), form.Get("token")); err != nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Done{Title: "Your account is open", Text: "You can sign in again.", NextURI: "/sign-in", NextLabel: "Sign in"})
}

func (s *Server) notMePage(c *gin.Context) error {
	return s.show(c, http.StatusOK, pages.Confirm{
		Title: "This was not you?", Text: "Then we sign everybody out, make the password useless, and let you choose another one.",
		Action: "/not-me", Token: c.Query("token"), Button: "It was not me: sign everybody out", Danger: true,
	})
}

func (s *Server) notMe(c *gin.Context) error {
	form, err := postedText(c)
	if err != nil {
		return err
	}
	secret, err := s.Identity.NotMe(c.Request.Context(), form.Get("token"))
	if err != nil {
		return err
	}
	s.clearCookies(c)
	return redirect(c, "/reset-password?"+url.Values{"token": {secret}}.Encode())
}

// postedText reads a posted form and refuses what is no text.
func postedText(c *gin.Context) (url.Values, error) {
	form, err := posted(c)
	if err != nil {
		return nil, err
	}
	if err := oidc.CheckForm(form); err != nil {
		return nil, errForm
	}
	return form, nil
}

// sentence is an error that is meant for people, as a sentence.
func sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return strings.TrimSuffix(string(unicode.ToUpper(first))+text[size:], ".") + "."
}
