package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
)

// token is the token endpoint: RFC 6749, section 3.2.
func (s *Server) token(c *gin.Context) error {
	request, err := fromApp(c)
	if err != nil {
		return err
	}
	tokens, client, err := s.Provider.Token(c.Request.Context(), request)
	actAsClient(c, client)
	s.allowOrigin(c, client)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, tokens)
	return nil
}

// introspect is the introspection endpoint: RFC 7662. Resource servers call it, not pages.
func (s *Server) introspect(c *gin.Context) error {
	request, err := fromApp(c)
	if err != nil {
		return err
	}
	introspection, client, err := s.Provider.Introspect(c.Request.Context(), request)
	actAsClient(c, client)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, introspection)
	return nil
}

// revoke is the revocation endpoint: RFC 7009.
func (s *Server) revoke(c *gin.Context) error {
	request, err := fromApp(c)
	if err != nil {
		return err
	}
	client, err := s.Provider.Revoke(c.Request.Context(), request)
	actAsClient(c, client)
	s.allowOrigin(c, client)
	if err != nil {
		return err
	}
	c.Status(http.StatusOK)
	return nil
}

// userinfo is the userinfo endpoint: OpenID Connect Core, section 5.3. The access token comes as a header or in the body
// (RFC 6750, sections 2.1 and 2.2), never in the URL.
func (s *Server) userinfo(c *gin.Context) error {
	allowAnyOrigin(c)
	var token string
	if scheme, value, ok := strings.Cut(c.GetHeader("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(value)
	}
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		form, err := posted(c)
		if err != nil {
			return err
		}
		if inBody := form.Get("access_token"); inBody != "" {
			if token != "" || len(form["access_token"]) > 1 {
				return &oidc.Error{Code: "invalid_request", Description: "The access token is given twice.", Status: http.StatusBadRequest}
			}
			token = inBody
		}
	}
	claims, err := s.Provider.Userinfo(c.Request.Context(), token)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, claims)
	return nil
}

// actAsClient notes which client has authenticated, if one has.
func actAsClient(c *gin.Context, client *oidc.Client) {
	if client != nil {
		actAs(c, client.Actor())
	}
}

// fromApp reads what an app sends to an endpoint that it calls itself.
func fromApp(c *gin.Context) (oidc.Request, error) {
	form, err := posted(c)
	if err != nil {
		return oidc.Request{}, err
	}
	if err := oidc.CheckForm(form); err != nil {
		return oidc.Request{}, err
	}
	return oidc.Request{Form: form, Authorization: c.GetHeader("Authorization"), Origin: c.GetHeader("Origin")}, nil
}
