package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/frame"
)

// asked is who calls, and the request.
type asked struct {
	caller manage.Caller
	visit  *frame.Visit
}

type askedKey struct{}

func askedBy(ctx context.Context) asked { a, _ := ctx.Value(askedKey{}).(asked); return a }

// admit finds out who calls before anything is read of the request, and refuses whoever may not call the operation.
// Only a header names them, never a cookie: no page of another site can make a browser call.
func (a *API) admit(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	c.Header("Cache-Control", "no-store")
	visit := a.frame.NewVisit(c)
	caller, err := a.caller(visit)
	if err == nil && !addressIsText(c) {
		err = newProblem(http.StatusUnprocessableEntity, "request.invalid", "The address holds what is not text in UTF-8 without NUL.")
	}
	if err == nil {
		if permission, _ := ctx.Operation().Metadata[metaPermission].(manage.Permission); permission != "" {
			err = caller.Demand(permission)
		}
	}
	if err != nil {
		a.write(ctx, a.problem(visit, err))
		return
	}
	next(huma.WithValue(huma.WithContext(ctx, visit.Context()), askedKey{}, asked{caller, visit}))
}

// addressIsText tells whether the parameters of the address are text.
func addressIsText(c *gin.Context) bool {
	for _, parameter := range c.Params {
		if !isText(parameter.Value) {
			return false
		}
	}
	for _, values := range c.Request.URL.Query() {
		if slices.ContainsFunc(values, func(value string) bool { return !isText(value) }) {
			return false
		}
	}
	return true
}

// errNoToken says that a request names nobody who calls.
var errNoToken = errors.New("no API key or access token")

// caller is who calls, as the header Authorization says (RFC 6750, section 2.1, and RFC 9449, section 7.1). The request
// is counted for its network first, and then for them.
func (a *API) caller(v *frame.Visit) (caller manage.Caller, err error) {
	if err := frame.CountNetwork(v); err != nil {
		return caller, err
	}
	request := v.Gin.Request
	shown := tokens.Present(oidc.Request{Method: request.Method, Path: request.URL.EscapedPath(), Header: request.Header})
	ctx := v.Context()
	switch {
	case shown.Token == "":
		return caller, errNoToken
	case !shown.DPoP && manage.IsKey(shown.Token):
		caller, err = a.Manage.ByKey(ctx, shown.Token, audit.ActorOf(ctx).IP)
	default:
		caller, err = a.Manage.ByToken(ctx, shown)
	}
	if err != nil {
		return caller, err
	}
	frame.ActVia(v, caller.Actor(), audit.ViaAPI)
	counted := cache.ByClient
	if caller.Holder.UserID.UUID != uuid.Nil {
		counted = cache.ByAccount
	}
	return caller, frame.Count(v, counted, caller.Actor())
}

// write answers with a problem before an operation has begun.
func (a *API) write(ctx huma.Context, problem *Problem) {
	for name, value := range problem.header {
		ctx.SetHeader(name, value)
	}
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(problem.Status)
	if ctx.Method() != http.MethodHead {
		_ = jsonFormat.Marshal(ctx.BodyWriter(), problem)
	}
}
