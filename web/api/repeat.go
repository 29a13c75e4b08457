package api

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/manage"
)

// headerRepeatable lets a request that makes something be sent again without making it twice
// (draft-ietf-httpapi-idempotency-key-header).
const headerRepeatable = "Idempotency-Key"

// keptHeaders are the headers of an answer that are kept with it.
var keptHeaders = []string{"Content-Type", "ETag", "Location"}

// once carries a POST with an Idempotency-Key out once, and answers it the same each time it comes. What failed may
// be tried anew.
func (a *API) once(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header(headerRepeatable)
	if ctx.Method() != http.MethodPost || key == "" {
		next(ctx)
		return
	}
	who, c := askedBy(ctx.Context()), humagin.Unwrap(ctx)
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if err != nil {
		a.write(
			ctx,
			a.problem(who.visit, newProblem(http.StatusRequestEntityTooLarge, "request.too_large", "The body is too large.")),
		)
		return
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	digest := sha256.New()
	_, _ = io.WriteString(digest, who.caller.Fingerprint()+"\n"+c.Request.URL.RequestURI()+"\n")
	_, _ = digest.Write(body)
	before, err := a.Manage.Begin(ctx.Context(), who.caller, key, digest.Sum(nil))
	if err != nil {
		a.write(ctx, a.problem(who.visit, err))
		return
	}
	if before != nil {
		replay(c, before)
		return
	}
	kept := &keptAnswer{ResponseWriter: c.Writer}
	c.Writer = kept
	finished := false
	defer func() { // also where the handler panics
		if !finished {
			_ = a.Manage.Finish(ctx.Context(), who.caller, key, nil)
		}
	}()
	next(ctx)
	finished = true
	if err := a.Manage.Finish(ctx.Context(), who.caller, key, kept.answer()); err != nil {
		who.visit.LogFault(err)
	}
}

// replay answers as before.
func replay(c *gin.Context, answer *manage.Answer) {
	for name, value := range answer.Header {
		c.Header(name, value)
	}
	c.Header("Idempotency-Replayed", "true")
	c.Status(answer.Status)
	_, _ = c.Writer.Write(answer.Body)
}

// keptAnswer keeps what is answered.
type keptAnswer struct {
	gin.ResponseWriter

	body bytes.Buffer
}

func (k *keptAnswer) Write(part []byte) (int, error) {
	k.body.Write(part)
	return k.ResponseWriter.Write(part)
}

// answer is what was answered, or nil where the request may be tried anew.
func (k *keptAnswer) answer() *manage.Answer {
	if k.Status() >= http.StatusMultipleChoices { // it has changed nothing
		return nil
	}
	answer := &manage.Answer{Status: k.Status(), Header: map[string]string{}, Body: k.body.Bytes()}
	for _, name := range keptHeaders {
		if value := k.Header().Get(name); value != "" {
			answer.Header[name] = value
		}
	}
	return answer
}

// Repeatable describes the header; once heeds it before the operation begins.
type Repeatable struct {
	Key string `header:"Idempotency-Key" maxLength:"200" doc:"Chosen by the caller: a request that comes again with it is carried out once, and answered the same, for a day."`
}
