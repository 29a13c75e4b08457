package registration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// Documents says which apps may be known by the document at the URL that is their client_id: OAuth Client ID Metadata
// Document. The zero value is none.
type Documents struct {
	Any   bool
	Hosts []string // the hosts of these URLs; with a dot in front, their subdomains too
}

// ParseDocuments reads Documents: "off", "any", or hosts by commas.
func ParseDocuments(text string) (Documents, error) {
	switch text {
	case "off":
		return Documents{}, nil
	case "any":
		return Documents{Any: true}, nil
	}
	var hosts []string
	for host := range strings.SplitSeq(text, ",") {
		host = strings.ToLower(strings.TrimSpace(host))
		if parsed, err := url.Parse("https://" + strings.TrimPrefix(host, ".")); err != nil || host == "" ||
			parsed.Host != strings.TrimPrefix(host, ".") || parsed.Port() != "" {
			return Documents{}, fmt.Errorf("%q is no host, such as claude.ai or .example.com; or say any, or off", host)
		}
		hosts = append(hosts, host)
	}
	return Documents{Hosts: hosts}, nil
}

// Enabled tells whether any may.
func (d Documents) Enabled() bool { return d.Any || len(d.Hosts) > 0 }

func (d Documents) allows(host string) bool { return d.Any || Policy{Hosts: d.Hosts}.allowsHost(host) }

// IsDocumentURL tells whether a client_id is the URL of a document, by its bytes as they were sent: https, with a path,
// without user, fragment, dot segments and whatever a program could read in two ways.
func IsDocumentURL(id string) bool {
	if !strings.HasPrefix(id, "https://") || len(id) > maxDocumentURL || !plainURL.MatchString(id) {
		return false
	}
	parsed, err := url.Parse(id)
	if err != nil || parsed.Hostname() == "" || parsed.Path == "" || parsed.User != nil || parsed.String() != id {
		return false
	}
	if !strings.HasPrefix(id, "https://"+parsed.Host+"/") { // a host that is written in another way, such as %80
		return false
	}
	return !slices.ContainsFunc(strings.Split(parsed.Path, "/"), func(segment string) bool { // decoded: %2e counts too
		return segment == "." || segment == ".."
	})
}

var plainURL = regexp.MustCompile(`^[A-Za-z0-9._~:/?&=%+,;@!$()*'\[\]-]+$`)

const (
	maxDocumentURL = 1000
	maxDocument    = 5 << 10 // bytes

	documentTimeout = 5 * time.Second
	// how long a document is believed at the least, at the most, and where its server does not say
	shortestBelief = 5 * time.Minute
	longestBelief  = 24 * time.Hour
	usualBelief    = time.Hour
	// how long a document that could not be read is not asked for again
	failureRemembered = 5 * time.Second
)

// Client returns the client that asks for an authorization. One that is known by a document is read from there,
// unless it was read lately. It returns storage.ErrNotFound for one that is unknown, an *oidc.Error that says what is
// wrong with a document, or a *cache.Limited.
func (s *Service) Client(ctx context.Context, id string) (*clients.Client, error) {
	if !IsDocumentURL(id) {
		return s.Clients.ByID(ctx, id)
	}
	parsed, err := url.Parse(id)
	if err != nil || !s.Documents.allows(parsed.Hostname()) {
		return nil, storage.ErrNotFound
	}
	if known, err := s.believed(ctx, id); known != nil || err != nil {
		return known, err
	}
	if until, failed := s.failures.Get(id); failed && s.Now().Before(until) {
		return nil, badDocument(errors.New("it could not be read a moment ago"))
	}
	network := identity.Device{IP: audit.ActorOf(ctx).IP}.Source()
	if err := s.Limits.Take(ctx, "documents", cache.ByIP, network); err != nil {
		return nil, err
	}
	// Not the caller's context: a caller who goes away must not spoil it for the others.
	ctx = context.WithoutCancel(ctx)
	found, err, _ := s.fetches.Do(id, func() (any, error) {
		if known, err := s.believed(ctx, id); known != nil { // another request has read it meanwhile
			return known, err
		}
		if err := s.mayRead(ctx, id, parsed); err != nil {
			return nil, err
		}
		return s.adopt(ctx, id)
	})
	if err != nil {
		if refused := (*oidc.Error)(nil); errors.As(err, &refused) && refused.Code == codeMetadata { // not a fault of ours
			s.failures.Add(id, s.Now().Add(failureRemembered))
		}
		return nil, err
	}
	return found.(*clients.Client), nil
}

// mayRead counts the read of a document for its host, unless its app is known. It returns
// a *cache.Limited, or storage.ErrNotFound for a URL that is the identifier of an API, whose tokens it would be
// mistaken for.
func (s *Service) mayRead(ctx context.Context, id string, parsed *url.URL) error {
	if _, err := s.APIs.Find(ctx, id); err == nil {
		return storage.ErrNotFound
	} else if !errors.Is(err, storage.ErrNotFound) {
		return oidc.ServerError(err)
	}
	if _, err := s.Clients.ByID(ctx, id); err == nil { // nobody keeps people from an app by asking for others there
		return nil
	}
	return s.Limits.Take(ctx, "documents", byHost, strings.ToLower(parsed.Hostname()))
}

// believed is the client whose document was read lately, or nil.
func (s *Service) believed(ctx context.Context, id string) (*clients.Client, error) {
	known, err := s.Clients.ByID(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if known.FreshUntil == nil || !s.Now().Before(*known.FreshUntil) {
		return nil, nil
	}
	return known, nil
}

const byHost = "host" // the kind of subject that a document's server is

// adopt reads a document and keeps the client that it describes. It returns an *oidc.Error that says what is wrong with
// it, or a *cache.Limited.
func (s *Service) adopt(ctx context.Context, id string) (*clients.Client, error) {
	object, believed, err := s.fetch(ctx, id)
	if err != nil {
		return nil, badDocument(err)
	}
	client, err := s.readDocument(ctx, id, object)
	if err != nil {
		return nil, err
	}
	before, err := s.Clients.ByID(ctx, id)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, oidc.ServerError(err)
	}
	if err := s.checkSector(ctx, client, before); err != nil {
		if limited := (*cache.Limited)(nil); errors.As(err, &limited) { // it says nothing of the document
			return nil, limited
		}
		return nil, badDocument(err)
	}
	until := s.Now().Add(believed)
	client.FreshUntil = &until
	err = s.Clients.Adopt(audit.AsNamed(ctx, client.Actor()), client, s.admitStranger)
	if errors.Is(err, errQuota) {
		return nil, tooMany
	} else if err != nil {
		return nil, oidc.ServerError(err)
	}
	return client, nil
}

// fetch reads the document, and says how long it may be believed.
func (s *Service) fetch(ctx context.Context, id string) (object []byte, believed time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, id, nil)
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Accept", "application/json")
	// No target: the URL is a stranger's, and must not lead into the operator's network.
	outbound := storage.Outbound{AllowPrivate: s.AllowPrivate, Timeout: documentTimeout, MaxBody: maxDocument}.Client()
	defer outbound.CloseIdleConnections()
	response, err := outbound.Do(request)
	if err != nil {
		return nil, 0, unreachable{err}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("its server answers with the status %d", response.StatusCode)
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil, 0, errors.New("its Content-Type is not application/json")
	}
	if object, err = io.ReadAll(response.Body); err != nil {
		return nil, 0, fmt.Errorf("it cannot be read, or is longer than %d bytes", maxDocument)
	}
	return object, belief(response.Header.Get("Cache-Control")), nil
}

// belief is how long a document may be believed by the Cache-Control of its answer: RFC 9111, section 5.2.2.
func belief(control string) time.Duration {
	for directive := range strings.SplitSeq(control, ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return shortestBelief
		case "max-age":
			if seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
				return min(max(time.Duration(seconds)*time.Second, shortestBelief), longestBelief)
			}
		}
	}
	return usualBelief
}

// readDocument reads the client that a document describes. It returns an *oidc.Error with what is wrong.
func (s *Service) readDocument(ctx context.Context, id string, object []byte) (*clients.Client, error) {
	var said struct {
		ID            string   `json:"client_id"`
		Secret        any      `json:"client_secret"`
		SecretExpires any      `json:"client_secret_expires_at"`
		Methods       []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := json.Unmarshal(object, &said); err != nil {
		return nil, badDocument(errors.New("it is not a JSON object of client metadata"))
	}
	if said.ID != id {
		return nil, badDocument(errors.New("its client_id is not the URL that it was read from"))
	}
	if said.Secret != nil || said.SecretExpires != nil {
		return nil, badDocument(errors.New("it has a client_secret, which everybody could read"))
	}
	client, err := s.read(ctx, object, Policy{}, func(client *clients.Client) {
		client.ID, client.Origin = id, clients.OriginDocument
		if client.AuthMethod == "" || slices.Contains(said.Methods, clients.AuthNone) {
			client.AuthMethod = clients.AuthNone // whoever lists both may come without
		}
	})
	if err != nil {
		return nil, badDocument(err)
	}
	if client.AuthMethod != clients.AuthNone && client.AuthMethod != clients.AuthPrivateKeyJWT {
		return nil, badDocument(errors.New("its token_endpoint_auth_method must be none or private_key_jwt"))
	}
	return client, nil
}

// unreachable says that a document cannot be fetched. Why is for the log alone: it tells of the operator's network.
type unreachable struct{ cause error }

func (unreachable) Error() string { return "it cannot be fetched" }

// badDocument tells the person, who sees it on a page, what is wrong with the document of an app.
func badDocument(cause error) *oidc.Error {
	var private error
	if hidden := (unreachable{}); errors.As(cause, &hidden) {
		private = errors.New(hidden.cause.Error()) // its text: as an error it would be taken for a fault of ours
	}
	if known := (*oidc.Error)(nil); errors.As(cause, &known) {
		if known.Status >= http.StatusInternalServerError {
			return known
		}
		cause = errors.New(strings.TrimSuffix(known.Description, "."))
	}
	return &oidc.Error{
		Code: codeMetadata, Status: http.StatusBadRequest, Cause: private,
		Description: "The app cannot be let in: the document at its client_id is not in order. " + cause.Error() + ".",
	}
}
