package protocol

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/web/frame"
)

// SecurityTXT tells whoever finds a weakness in this Wicket whom to tell.
type SecurityTXT struct {
	*frame.Frame
	Contacts  []string // mailto: and https: URLs, the preferred one first
	Languages []string // that are read there, as BCP 47 tags
}

// PathSecurityTXT is RFC 9116, section 3.
const PathSecurityTXT = "/.well-known/security.txt"

// securityTXTBelieved is how long a copy may be believed, which has to be less than a year. Each answer begins it anew,
// so that nobody has to remember to renew a file.
const securityTXTBelieved = 30 * 24 * time.Hour

// Serve serves the file: RFC 9116, section 2.5.
func (e SecurityTXT) Serve(c *gin.Context) {
	var text strings.Builder
	for _, contact := range e.Contacts {
		fmt.Fprintf(&text, "Contact: %s\n", contact)
	}
	fmt.Fprintf(&text, "Expires: %s\n", e.Now().Add(securityTXTBelieved).UTC().Format(time.RFC3339))
	fmt.Fprintf(&text, "Canonical: %s\n", e.Provider.Issuer+PathSecurityTXT)
	fmt.Fprintf(&text, "Preferred-Languages: %s\n", strings.Join(e.Languages, ", "))
	c.Header("Cache-Control", documentMaxAge)
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(text.String()))
}
