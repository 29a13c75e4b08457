package protocol

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc/keys"
	"github.com/wicket-id/wicket/web/frame"
)

// Metadata is what the server publishes about itself. It is the same for everybody, so nothing about a request is
// looked at.
type Metadata struct{ *frame.Frame }

// Configuration serves the discovery document: OpenID Connect Discovery, section 4, and RFC 8414, section 3.
func (e Metadata) Configuration(c *gin.Context) { e.document(c, e.Discovery) }

// Resource serves the metadata of the protected resource that the server is itself: RFC 9728, section 3.
func (e Metadata) Resource(c *gin.Context) { e.document(c, e.ResourceMetadata) }

// JWKS serves the public keys: RFC 7517, section 5.
func (e Metadata) JWKS(c *gin.Context) { e.document(c, e.Keys.Published()) }

var documentMaxAge = fmt.Sprintf("public, max-age=%d", int(keys.JWKSMaxAge.Seconds()))

func (e Metadata) document(c *gin.Context, json []byte) {
	frame.AllowAnyOrigin(c)
	c.Header("Cache-Control", documentMaxAge)
	c.Data(http.StatusOK, "application/json", json)
}

// RelatedOrigins tells browsers from which other origins the same passkeys may be used: Web Authentication, Level 3,
// section 5.11.
func (e Metadata) RelatedOrigins(c *gin.Context) {
	origins := []string{}
	if party := e.Factors.RelyingParty; party != nil {
		origins = party.Origins()
	}
	c.JSON(http.StatusOK, gin.H{"origins": origins})
}
