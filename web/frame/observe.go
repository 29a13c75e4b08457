package frame

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// requestPatience is how long a request may take, all that it waits for included. What it is answered with then has to
// be written before the server's own end of an answer.
const requestPatience = 15 * time.Second

// Observe is what happens to every request: it is given a name and an end, its sender is put into the context for the
// audit trail, and it is logged once, with its path but never its query, where codes and hints travel.
func (f *Frame) Observe(c *gin.Context) {
	began := time.Now()
	actor := audit.Actor{
		Name: "anonymous", IP: c.ClientIP(), UserAgent: cleanHeader(c.Request.UserAgent()), RequestID: rand.Text(),
	}
	// Nothing is done for a browser that has gone, or that has waited for too long: but a transaction that has begun is
	// brought to its end (storage.Outlasting).
	ctx, cancel := context.WithTimeout(c.Request.Context(), requestPatience)
	defer cancel()
	c.Request = c.Request.WithContext(audit.As(ctx, actor))
	if f.Tally != nil {
		c.Request = c.Request.WithContext(storage.WithEventCounter(c.Request.Context(), f.Tally))
	}
	c.Header("X-Request-Id", actor.RequestID)
	c.Header("X-Content-Type-Options", "nosniff")
	if f.https {
		c.Header("Strict-Transport-Security", "max-age=63072000") // this host alone: its subdomains are not ours to pin
		f.proxies.look(c, f.Now(), f.Log)
	}
	defer func() {
		if fault := recover(); fault != nil {
			if fault == http.ErrAbortHandler {
				panic(fault)
			}
			f.Log.ErrorContext(c.Request.Context(), "panic", "request_id", actor.RequestID,
				"fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
			if !c.Writer.Written() {
				c.String(http.StatusInternalServerError,
					"Something went wrong on our side. Request id: %s\n", actor.RequestID)
			}
		}
		f.observed(c, time.Since(began))
	}()
	c.Next()
}

// observed counts and logs a request that was answered.
func (f *Frame) observed(c *gin.Context, took time.Duration) {
	if f.Answered != nil {
		f.Answered(c.FullPath(), c.Request.Method, c.Writer.Status(), took)
	}
	actor := audit.ActorOf(c.Request.Context())
	f.Log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request",
		slog.String("method", c.Request.Method), slog.String("path", logged(c.Request.URL.Path)),
		slog.Int("status", c.Writer.Status()), slog.Duration("took", took), slog.String("ip", actor.IP),
		slog.String("actor", actor.Name), slog.String("request_id", actor.RequestID))
}

const maxLogged = 200 // bytes of a path that are logged: a stranger may send many, and long ones

// logged is as much of a path as is logged.
func logged(path string) string {
	if len(path) <= maxLogged {
		return path
	}
	return path[:maxLogged] + "..."
}

const maxHeader = 512 // bytes kept of a header that goes into the audit trail

// cleanHeader makes a header fit for the database.
func cleanHeader(value string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(value[:min(len(value), maxHeader)], ""), "\x00", "")
}
