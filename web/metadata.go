package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
)

// configuration serves the discovery document: OpenID Connect Discovery, section 4, and RFC 8414, section 3.
func (s *Server) configuration(c *gin.Context) { s.document(c, s.Provider.Configuration()) }

// jwks serves the public keys: RFC 7517, section 5.
func (s *Server) jwks(c *gin.Context) { s.document(c, s.Provider.Keys.Published()) }

var documentMaxAge = fmt.Sprintf("public, max-age=%d", int(oidc.JWKSMaxAge.Seconds()))

func (s *Server) document(c *gin.Context, json []byte) {
	allowAnyOrigin(c)
	c.Header("Cache-Control", documentMaxAge)
	c.Data(http.StatusOK, "application/json", json)
}

// relatedOrigins tells browsers from which other origins the same passkeys may be used: Web Authentication, Level 3, section
// 5.11.
func (s *Server) relatedOrigins(c *gin.Context) {
	origins := []string{}
	if party := s.Identity.RelyingParty; party != nil {
		origins = party.Origins()
	}
	c.JSON(http.StatusOK, gin.H{"origins": origins})
}
