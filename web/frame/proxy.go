package frame

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// RemoteIPHeader is what a trusted proxy tells a visitor's address in. Others, such as X-Real-IP, a proxy may pass on
// as the visitor has sent them.
const RemoteIPHeader = "X-Forwarded-For"

// ByUntrustedProxy tells whether a proxy that nobody trusts has forwarded the request.
func ByUntrustedProxy(c *gin.Context) bool {
	forwarded := c.GetHeader(RemoteIPHeader)
	if forwarded == "" || c.ClientIP() != c.RemoteIP() {
		return false
	}
	last := forwarded[strings.LastIndexByte(forwarded, ',')+1:]
	address, err := netip.ParseAddr(strings.TrimSpace(last))
	return err == nil && address.Unmap().String() != c.RemoteIP() // otherwise it says nothing, or the same
}

// untrustedProxy says in the log, once a minute, that requests come through a proxy that nobody trusts: then everybody
// seems to come from its address, so that one visitor uses up the limits of all.
type untrustedProxy struct {
	saidAt atomic.Int64 // in Unix seconds
}

const sayAgain = time.Minute

// look looks at a request that came by https, whose address gin has found.
func (u *untrustedProxy) look(c *gin.Context, now time.Time, log *slog.Logger) {
	if !ByUntrustedProxy(c) {
		return
	}
	said := u.saidAt.Load()
	if now.Unix()-said < int64(sayAgain/time.Second) || !u.saidAt.CompareAndSwap(said, now.Unix()) {
		return
	}
	log.ErrorContext(c.Request.Context(), "a proxy that WICKET_TRUSTED_PROXIES does not name forwards requests, so that "+
		"limits and the audit trail take all visitors for one; name it, or the network that it is in", "proxy", c.RemoteIP())
}
