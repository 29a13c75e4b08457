package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/frame"
)

// health answers those who watch the process.
type health struct {
	database *storage.Database
	writes   *storage.WriteProbe
	draining func() bool
	operator operator
	log      *slog.Logger
}

// What is told of the proxy to who has the master key.
const (
	ProxyTrusted   = "proxy: trusted, or none"
	ProxyUntrusted = "proxy: WICKET_TRUSTED_PROXIES does not name it"
)

// live says that the process runs. `wicket check`, where it has the master key, is told whether its request came
// through a proxy that nobody trusts; nobody else is, for then one visitor can use up the limits of all.
func (h health) live(c *gin.Context) {
	said := "ok\n"
	if h.operator.sent(c.Request) {
		if frame.ByUntrustedProxy(c) {
			said += ProxyUntrusted + "\n"
		} else {
			said += ProxyTrusted + "\n"
		}
	}
	c.String(http.StatusOK, said)
}

// ready says whether requests should be sent here: the database is there and can be written to, and this process is not
// about to stop.
func (h health) ready(c *gin.Context) {
	if h.draining() {
		c.String(http.StatusServiceUnavailable, "stopping\n")
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
	defer cancel()
	if err := h.database.Ping(ctx); err != nil {
		h.fault(ctx, c, err, "the database does not answer\n")
		return
	}
	if err := h.writes.Check(ctx); err != nil {
		h.fault(ctx, c, err, "nothing can be written to the database\n")
		return
	}
	c.String(http.StatusOK, "ok\n")
}

// fault says why no requests should be sent here, and logs the cause.
func (h health) fault(ctx context.Context, c *gin.Context, err error, said string) {
	h.log.ErrorContext(ctx, "fault", "request_id", audit.ActorOf(ctx).RequestID,
		"path", c.Request.URL.Path, "error", err.Error())
	c.String(http.StatusServiceUnavailable, said)
}
