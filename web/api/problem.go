package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/declared"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/manage/webhooks"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/dpop"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
	"github.com/wicket-id/wicket/web/frame"
)

// Problem says what is wrong with a request: RFC 9457. It repeats nothing of what was sent.
type Problem struct {
	Type      string  `json:"type" doc:"urn:wicket:problem: with the code."`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail,omitempty"`
	Code      string  `json:"code" doc:"What is wrong, for programs. It stays the same."`
	RequestID string  `json:"request_id,omitempty" doc:"By which the log of the server knows the request."`
	Errors    []Fault `json:"errors,omitempty"`

	header map[string]string
}

// Fault is what is wrong with one member of a request.
type Fault struct {
	Pointer string `json:"pointer,omitempty" doc:"The member, as a JSON pointer (RFC 6901) into the body; or query, path or header, and the name."`
	Code    string `json:"code,omitempty"`
	Detail  string `json:"detail"`
}

// huma asks for these.
var (
	_ huma.StatusError       = (*Problem)(nil)
	_ huma.ContentTypeFilter = (*Problem)(nil)
	_ huma.HeadersError      = (*Problem)(nil)
)

func (p *Problem) Error() string             { return p.Code + ": " + p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are the headers that go with it.
func (p *Problem) GetHeaders() http.Header {
	headers := http.Header{}
	for name, value := range p.header {
		headers.Set(name, value)
	}
	return headers
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{
		Type: "urn:wicket:problem:" + code, Title: http.StatusText(status), Status: status, Detail: detail, Code: code,
	}
}

func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = map[string]string{}
	}
	p.header[name] = value
	return p
}

// errPrecondition says that a request that replaces something does not say what it has seen of it.
var errPrecondition = refusal.New("precondition.required",
	"send If-Match with the entity tag of what is to be replaced, or If-None-Match: * to make it")

// statusesOf are what errors below are told with, besides 422, which is for whatever the caller chose wrongly.
var statusesOf = []struct {
	err    error
	status int
	code   string // of an error that has none
}{
	{err: storage.ErrNotFound, status: http.StatusNotFound, code: "not_found"},
	{err: manage.ErrChanged, status: http.StatusPreconditionFailed},
	{err: manage.ErrExists, status: http.StatusPreconditionFailed},
	{err: errPrecondition, status: http.StatusPreconditionRequired},
	{err: apis.ErrOwnAPI, status: http.StatusConflict, code: "api.own"},
	{err: declared.ErrDeclared, status: http.StatusConflict},
	{err: configuration.ErrMoved, status: http.StatusConflict},
	{err: identity.ErrUsernameTaken, status: http.StatusConflict},
	{err: identity.ErrEmailTaken, status: http.StatusConflict},
	{err: identity.ErrRoleHeld, status: http.StatusConflict, code: "role.held"},
	{err: identity.ErrRoleNotHeld, status: http.StatusNotFound, code: "role.not_held"},
	{err: groups.ErrNotMember, status: http.StatusNotFound, code: "group.not_member"},
	{err: groups.ErrRoleNotHeld, status: http.StatusNotFound, code: "role.not_held"},
	{err: administrators.ErrHeld, status: http.StatusConflict},
	{err: administrators.ErrNotHeld, status: http.StatusNotFound},
	{err: administrators.ErrLastOwner, status: http.StatusConflict},
	{err: clients.ErrClientExists, status: http.StatusConflict, code: "client.exists"},
	{err: clients.ErrClientChanged, status: http.StatusConflict, code: "client.changed"},
	{err: clients.ErrNoSecret, status: http.StatusConflict, code: "client.no_secret"},
	{err: apis.ErrAPIExists, status: http.StatusConflict, code: "api.exists"},
	{err: apis.ErrAPIChanged, status: http.StatusConflict, code: "api.changed"},
	{err: manage.ErrRepeatableBusy, status: http.StatusConflict},
	{err: federation.ErrDeclared, status: http.StatusConflict},
	{err: events.ErrOff, status: http.StatusConflict},
	{err: events.ErrGone, status: http.StatusConflict},
	{err: webhooks.ErrDisabled, status: http.StatusConflict},
	{err: webhooks.ErrPending, status: http.StatusConflict},
	{err: refusals.ErrNoMend, status: http.StatusConflict},
	{err: clients.ErrClient, status: http.StatusUnprocessableEntity, code: "client.invalid"},
	{err: apis.ErrAPI, status: http.StatusUnprocessableEntity, code: "api.invalid"},
}

// problem is what a caller is told of an error. A fault of ours is logged.
func (a *API) problem(v *frame.Visit, err error) *Problem {
	problem := a.problemOf(v, err)
	problem.RequestID = v.RequestID()
	return problem
}

func (a *API) problemOf(v *frame.Visit, err error) *Problem {
	var known *Problem
	var limited *cache.Limited
	var fields refusal.FieldFaults
	var coded *refusal.Error
	switch {
	case errors.As(err, &known):
		return known
	case frame.Unavailable(err):
		v.LogFault(err)
		return newProblem(http.StatusServiceUnavailable, "unavailable", "Try again in a moment.").with("Retry-After", "5")
	case errors.Is(err, password.ErrBusy):
		return newProblem(http.StatusServiceUnavailable, "busy", "Try again in a moment.").with("Retry-After", "5")
	case errors.As(err, &limited):
		return newProblem(http.StatusTooManyRequests, "limited", "Too many requests.").
			with("Retry-After", strconv.Itoa(limited.Seconds()))
	}
	if problem := a.problemOfCaller(v, err); problem != nil {
		return problem
	}
	if faults := configurationFaults(err); len(faults) > 0 {
		problem := newProblem(http.StatusUnprocessableEntity, "configuration.invalid", "The file is not good.")
		problem.Errors = faults
		return problem
	}
	for _, refused := range statusesOf {
		if errors.Is(err, refused.err) {
			code, detail := refused.code, err.Error()
			if code == "" && errors.As(err, &coded) {
				code, detail = coded.Code, words(v, coded)
			}
			if refused.status == http.StatusNotFound && refused.code == "not_found" {
				detail = "There is none of this id."
			}
			return newProblem(refused.status, code, detail)
		}
	}
	if errors.As(err, &fields) {
		problem := newProblem(http.StatusUnprocessableEntity, "request.invalid", "Some members are not good.")
		for name, fault := range fields {
			problem.Errors = append(problem.Errors, Fault{Pointer: "/" + name, Detail: words(v, fault)})
		}
		return problem
	}
	if invalid := new(federation.InvalidProviderError); errors.As(err, &invalid) {
		return newProblem(http.StatusUnprocessableEntity, "provider.invalid", invalid.Error())
	}
	if errors.As(err, &coded) {
		return newProblem(http.StatusUnprocessableEntity, coded.Code, words(v, coded))
	}
	v.LogFault(err)
	return problemFault()
}

// configurationFaults are what is wrong with a configuration file; none for another error.
func configurationFaults(err error) (faults []Fault) {
	var all configuration.Faults
	var one *configuration.Fault
	if !errors.As(err, &all) && errors.As(err, &one) {
		all = configuration.Faults{one}
	}
	for _, fault := range all {
		faults = append(faults, Fault{Pointer: "/file", Detail: fault.Error()})
	}
	return faults
}

// words are what the catalogue says of an error, or what it says itself where that has nothing.
func words(v *frame.Visit, err error) string {
	if sentence := v.Language.Refusal(err); sentence != "" {
		return sentence
	}
	return err.Error()
}

func problemFault() *Problem {
	return newProblem(http.StatusInternalServerError, "fault", "Something went wrong on our side. Try again.")
}

// problemOfCaller is what is told of who calls; nil for another error. The challenges are those of RFC 6750, section 3,
// RFC 9449, section 7.1, and RFC 9470, section 3.
func (a *API) problemOfCaller(v *frame.Visit, err error) *Problem {
	const challenge = "WWW-Authenticate"
	var forbidden *manage.ForbiddenError
	var stepUp *manage.StepUpError
	var protocol *oidc.Error
	switch {
	case errors.As(err, &forbidden):
		problem := newProblem(http.StatusForbidden, "forbidden."+forbidden.Reason, forbidden.Error())
		return problem.with(challenge, `Bearer error="insufficient_scope", scope="`+string(forbidden.Permission)+`"`)
	case errors.As(err, &stepUp):
		problem := newProblem(http.StatusUnauthorized, "step_up", stepUp.Error())
		return problem.with(challenge, `Bearer error="insufficient_user_authentication", acr_values="`+
			identity.ACRMultiFactor+`", max_age=`+strconv.Itoa(int(manage.StepUpFor/time.Second)))
	case errors.Is(err, errNoToken):
		problem := newProblem(http.StatusUnauthorized, "token.missing",
			"Send an API key or an access token for this API: Authorization: Bearer TOKEN.")
		return problem.with(challenge, "Bearer")
	case errors.As(err, &protocol) && (protocol.Code == dpop.CodeProof || protocol.Code == dpop.CodeNonce):
		problem := newProblem(http.StatusUnauthorized, "token.proof", protocol.Description)
		problem.with(challenge, protocol.Challenge)
		if protocol.DPoPNonce != "" {
			return problem.with("DPoP-Nonce", protocol.DPoPNonce)
		}
		return problem
	case errors.Is(err, manage.ErrKey), errors.As(err, &protocol) && protocol.Status == http.StatusUnauthorized:
		problem := newProblem(http.StatusUnauthorized, "token.invalid",
			"The key or token is not good at this API: it is unknown, has expired or was revoked, or is not for this API.")
		return problem.with(challenge, `Bearer error="invalid_token"`)
	}
	return nil
}

// huma's own words for a request that is not as described repeat what was refused, passwords too. Lists are never null
// here.
func init() {
	huma.NewErrorWithContext = newError
	huma.NewError = func(status int, message string, faults ...error) huma.StatusError {
		return invalid(status, message, faults)
	}
	huma.DefaultArrayNullable = false
}

// newError says that a request is not as the description has it.
func newError(ctx huma.Context, status int, message string, faults ...error) huma.StatusError {
	problem := invalid(status, message, faults)
	problem.RequestID = audit.ActorOf(ctx.Context()).RequestID
	return problem
}

// invalid is what huma has found. Values that were sent are left out.
func invalid(status int, message string, faults []error) *Problem {
	problem := newProblem(status, "request.invalid", message)
	if status >= http.StatusInternalServerError {
		problem, faults = problemFault(), nil
	}
	for _, fault := range faults {
		detailer, ok := fault.(huma.ErrorDetailer)
		if !ok {
			problem.Errors = append(problem.Errors, Fault{Detail: "it cannot be read"})
			continue
		}
		detail := detailer.ErrorDetail()
		problem.Errors = append(problem.Errors, Fault{Pointer: pointer(detail.Location), Detail: detail.Message})
	}
	return problem
}

// pointer writes where huma has found a fault ("body.redirect_uris[0]") as a JSON pointer into the body; what is in
// no body keeps the name of where it is.
func pointer(location string) string {
	path := strings.NewReplacer("[", ".", "]", "").Replace(location)
	path = "/" + strings.ReplaceAll(path, ".", "/")
	if inBody, ok := strings.CutPrefix(path, "/body"); ok {
		return inBody
	}
	return strings.TrimPrefix(path, "/")
}

func problemNoRoute() *Problem {
	return newProblem(http.StatusNotFound, "no_route", "There is no such address; "+PathOpenAPI+" lists them.")
}

func problemNoMethod() *Problem {
	return newProblem(http.StatusMethodNotAllowed, "no_method", "This address has no such method.")
}

// refuse answers what leads to no operation. Who calls is not asked: it is the same for everybody.
func (a *API) refuse(problem func() *Problem) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := a.frame.NewVisit(c)
		p := problem()
		if err := frame.CountNetwork(v); err != nil {
			p = a.problem(v, err)
		}
		p.RequestID = v.RequestID()
		for name, value := range p.header {
			c.Header(name, value)
		}
		c.Header("Cache-Control", "no-store")
		c.Header("Content-Type", "application/problem+json")
		c.JSON(p.Status, p)
	}
}
