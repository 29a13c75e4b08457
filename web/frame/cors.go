package frame

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Preflight answers the question that a browser asks before a page of another origin calls us (Fetch, section 3.3). It
// cannot say yes or no for a client, for the browser does not tell it: the call itself is refused, and its answer kept
// from the page, where the origin is not registered.
func Preflight(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	c.Header("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP, MCP-Protocol-Version")
	c.Header("Access-Control-Max-Age", "7200")
	c.Status(http.StatusNoContent)
}

// AllowAnyOrigin lets every page read the answer: it is public, or comes for a token that the page holds already.
func AllowAnyOrigin(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	exposeHeaders(c)
}

// AllowOrigin lets a page read the answer if its origin is registered for the client that calls. The provider has
// refused others.
func (v *Visit) AllowOrigin() {
	v.Gin.Header("Vary", "Origin")
	if origin := v.Gin.GetHeader("Origin"); origin != "" && v.Client != nil {
		v.Gin.Header("Access-Control-Allow-Origin", origin)
		exposeHeaders(v.Gin)
	}
}

func exposeHeaders(c *gin.Context) {
	c.Header("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, DPoP-Nonce")
}
