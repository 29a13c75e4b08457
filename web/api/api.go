package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/verbs"
	"github.com/wicket-id/wicket/web/frame"
)

// Base is where the API is served in all of its versions, and Root where its first is.
const (
	Base = manage.APIPath
	Root = Base + "/v1"
)

// PathOpenAPI is where the description of the API is served.
const PathOpenAPI = Root + "/openapi.json"

// API is the management API while it is put together.
type API struct {
	verbs.Set

	frame *frame.Frame
	huma  huma.API
}

// Routes registers the API with a router that has nothing else, and that hands on path parameters as they are once
// their percent-encoding is read.
func Routes(r *gin.Engine, f *frame.Frame, set verbs.Set) {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Wicket management API", Version: "1",
				Description: "Who may call what is said by each operation's permission, which is a scope of access tokens for " +
					"this API and is allowed by administrative roles. Lists come in parts; give `next` as `cursor` for the next. " +
					"Errors are problems (RFC 9457) with a stable `code`.",
			},
			Servers: []*huma.Server{{URL: f.Provider.Issuer + Root}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{schemeBearer: {
					Type: "http", Scheme: "bearer",
					Description: "An API key (`wkt_...`), or an access token whose audience is this API.",
				}},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	a := &API{Set: set, frame: f, huma: humagin.NewWithGroup(r, r.Group(Root), config)}
	a.users()
	a.groups()
	a.invitations()
	a.clients()
	preview(a)
	a.apis()
	a.providers()
	a.administrators()
	a.apiKeys()
	a.signingKeys()
	a.activity()
	refused(a)
	feed(a)
	a.webhooks()
	configured(a)
	a.me()
	a.describeCreation()
	a.describeLinks()
	description := sync.OnceValues(func() ([]byte, error) { return json.Marshal(a.huma.OpenAPI()) })
	r.GET(PathOpenAPI, func(c *gin.Context) {
		encoded, err := description()
		if err != nil {
			f.Log.Error("the API cannot be described", "error", err)
			a.refuse(problemFault)(c)
			return
		}
		c.Data(http.StatusOK, "application/json", encoded)
	})
	r.NoRoute(a.refuse(problemNoRoute))
	r.NoMethod(a.refuse(problemNoMethod))
}

// describeCreation says of what replaces something that it may make it, too.
func (a *API) describeCreation() {
	for _, path := range a.huma.OpenAPI().Paths {
		if path.Put == nil {
			continue
		}
		if replaced, ok := path.Put.Responses["200"]; ok {
			path.Put.Responses["201"] = &huma.Response{
				Description: "Created", Headers: replaced.Headers, Content: replaced.Content,
			}
		}
	}
}

// describeLinks says which operations go on with what another has made.
func (a *API) describeLinks() {
	paths := a.huma.OpenAPI().Paths
	for _, made := range []struct{ by, below, parameter, value string }{
		{"/users", "/users/{id}", "id", "$response.body#/id"},
		{"/invitations", "/invitations/{id}", "id", "$response.body#/id"},
		{"/groups/{slug}", "/groups/{slug}", "slug", "$request.path.slug"},
		{"/clients/{id}", "/clients/{id}", "id", "$request.path.id"},
		{"/webhooks/{id}", "/webhooks/{id}", "id", "$request.path.id"},
		{"/apis/{identifier}", "/apis/{identifier}", "identifier", "$request.path.identifier"},
		{"/providers/{provider}", "/providers/{provider}", "provider", "$request.path.provider"},
	} {
		links := map[string]*huma.Link{}
		for path, item := range paths {
			for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Patch, item.Delete} {
				if op != nil && strings.HasPrefix(path, made.below) {
					links[op.OperationID] = &huma.Link{
						OperationID: op.OperationID, Parameters: map[string]any{made.parameter: made.value},
					}
				}
			}
		}
		by := paths[made.by].Post
		if by == nil {
			by = paths[made.by].Put
		}
		by.Responses["201"].Links = links
	}
}

const schemeBearer = "bearer"

// jsonFormat is JSON as it is written here, without escapes that only HTML needs, and read: text, without NUL, which no
// database keeps.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(v)
	},
	Unmarshal: func(encoded []byte, into any) error {
		if !isText(string(encoded)) || escapedNUL.Match(encoded) {
			return errText
		}
		return json.Unmarshal(encoded, into)
	},
}

// escapedNUL is that character in JSON: an even number of backslashes before it are characters of their own.
var escapedNUL = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\u0000`)

var errText = errors.New("it is not text in UTF-8 without NUL")

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// operation describes what can be called.
type operation struct {
	id         string // of the operation, in the description: "list-users"
	method     string
	path       string // below Root, with parameters in braces
	summary    string
	tag        string
	permission manage.Permission // that it takes; empty: any caller
	status     int               // of success; 0: 200, or 204 where there is no body
}

// metaPermission is where an operation's permission is kept for the middleware.
const metaPermission = "permission"

// statuses are what any operation may be answered with, besides its own.
var statuses = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
	http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
	http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusServiceUnavailable,
}

// register adds an operation. handle is called by who may do it, as far as that can be told without knowing to what.
func register[I, O any](a *API, op operation, handle func(ctx context.Context, by manage.Caller, in *I) (*O, error)) {
	described := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{op.tag},
		DefaultStatus: op.status, Errors: slices.Clone(statuses), MaxBodyBytes: maxBody,
		Security:    []map[string][]string{{schemeBearer: {}}},
		Metadata:    map[string]any{metaPermission: op.permission},
		Middlewares: huma.Middlewares{a.admit, a.once},
	}
	if op.permission != "" {
		described.Description = "Takes the permission `" + string(op.permission) + "`."
		described.Extensions = map[string]any{"x-permission": op.permission}
	}
	if op.method == http.MethodPut {
		described.Errors = append(described.Errors, http.StatusPreconditionRequired)
	}
	huma.Register(a.huma, described, func(ctx context.Context, in *I) (*O, error) {
		asked := askedBy(ctx)
		out, err := handle(ctx, asked.caller, in)
		if err != nil {
			return nil, a.problem(asked.visit, err)
		}
		return out, nil
	})
}

// maxBody is how long a body may be: what an app is registered with, keys included, is the longest.
const maxBody = 256 << 10

// list is the answer of a list that is not long.
type list[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

func listed[T any](items []T, err error) (*list[T], error) {
	if err != nil {
		return nil, err
	}
	out := new(list[T])
	out.Body.Items = items
	if items == nil {
		out.Body.Items = []T{}
	}
	return out, nil
}

// body is an answer with a body and nothing else.
type body[T any] struct{ Body T }

func bodied[T any](value *T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{*value}, nil
}

// none is an answer without a body.
type none struct{}

func done(err error) (*none, error) {
	if err != nil {
		return nil, err
	}
	return new(none), nil
}

// Part are the parameters of a list that comes in parts.
type Part struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the part before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items a part has at the most."`
}

func (p Part) part() manage.Part { return manage.Part{Cursor: p.Cursor, Limit: p.Limit} }

// tagged is an answer with an entity tag: RFC 9110, section 8.8.3.
type tagged[T any] struct {
	Status int
	ETag   string `header:"ETag"`
	Body   T
}

func newTagged[T any](value T, status int) *tagged[T] {
	return &tagged[T]{Status: status, ETag: `"` + manage.ETag(value) + `"`, Body: value}
}

// Conditions are the preconditions of a request that replaces something: RFC 9110, section 13.1.
type Conditions struct {
	IfMatch     string `header:"If-Match" maxLength:"100" doc:"The entity tag of what is to be replaced, as it was read; or *."`
	IfNoneMatch string `header:"If-None-Match" maxLength:"1" enum:"*" doc:"Only where there is none yet."`
}

// read returns the entity tag that was seen, empty for whatever it is, and whether it must not exist yet. It returns
// errPrecondition where the request says neither: RFC 6585, section 3.
func (c Conditions) read() (seen string, create bool, err error) {
	switch {
	case c.IfNoneMatch == "*":
		return "", true, nil
	case c.IfMatch == "":
		return "", false, errPrecondition
	}
	return tagOf(c.IfMatch), false, nil
}

// tagOf is the tag of a header If-Match without its quotes; empty for any. A weak one is not compared (RFC 9110,
// section 13.1.1), and so stays what no tag is.
func tagOf(header string) string {
	tag, quoted := strings.CutPrefix(header, `"`)
	tag, ended := strings.CutSuffix(tag, `"`)
	switch {
	case header == "*" || header == "":
		return ""
	case !quoted || !ended || tag == "":
		return header + "?"
	}
	return tag
}

// made is the answer to what was made, with where it is.
type made[T any] struct {
	Location string `header:"Location"`
	Body     T
}
