package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
)

// preflight answers the question that a browser asks before a page of another origin calls us (Fetch, section 3.3). It
// cannot say yes or no for a client, for the browser does not tell it: the call itself is refused, and its answer kept
// from the page, where the origin is not registered.
func preflight(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Allow-Methods", "GET, POST")
	c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type")
	c.Header("Access-Control-Max-Age", "7200")
	c.Status(http.StatusNoContent)
}

// allowAnyOrigin lets every page read the answer: it is public, or comes for a token that the page holds already.
func allowAnyOrigin(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
}

// allowOrigin lets a page read the answer if its origin is registered for the client. The provider has refused others.
func (s *Server) allowOrigin(c *gin.Context, client *oidc.Client) {
	c.Header("Vary", "Origin")
	if origin := c.GetHeader("Origin"); origin != "" && client != nil {
		c.Header("Access-Control-Allow-Origin", origin)
		c.Header("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	}
}
