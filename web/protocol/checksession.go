package protocol

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/web/pages"
)

// CheckSession serves what apps frame to learn whether somebody is still signed in: OpenID Connect Session Management,
// section 3.3. Every site may frame it, and nothing else is allowed there but its script.
func CheckSession(c *gin.Context) {
	c.Header("Content-Security-Policy", "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'")
	c.Header("Referrer-Policy", "no-referrer")
	c.Header("Cache-Control", documentMaxAge)
	c.Data(http.StatusOK, "text/html; charset=utf-8", pages.CheckSession)
}
