package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// discovered is the cached metadata of a provider, and the client that calls it.
type discovered struct {
	client     *http.Client
	modifiedAt time.Time // when the provider's row was last changed

	mu      sync.Mutex // held for no longer than it takes to look
	current *metadata  // nil: never read
	readAt  time.Time
	failure error     // of the last attempt, if it failed
	nextTry time.Time // not earlier
}

// metadata is a discovery document: OpenID Connect Discovery, section 3, and RFC 9207.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	NamesIssuer           bool     `json:"authorization_response_iss_parameter_supported"`

	keys   gooidc.KeySet
	openID *gooidc.Provider
}

const (
	metadataKept   = time.Hour
	metadataServes = 24 * time.Hour  // where it cannot be read again
	retriedAfter   = 5 * time.Second // people are waiting
)

// algorithms are signatures by public keys: never by a shared secret, and never none, whatever a document says.
var algorithms = []string{
	gooidc.RS256, gooidc.RS384, gooidc.RS512, gooidc.ES256, gooidc.ES384, gooidc.ES512, gooidc.PS256, gooidc.PS384,
	gooidc.PS512, gooidc.EdDSA,
}

// ErrUnreachable says that a provider does not answer, or with a server error.
var ErrUnreachable = errors.New("the provider cannot be reached just now")

// cached returns the entry of a provider, which is a new one after the provider was changed.
func (u *Upstreams) cached(p *Provider) *discovered {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.discovered == nil {
		u.discovered = make(map[string]*discovered)
	}
	d := u.discovered[p.ID]
	if d == nil || !d.modifiedAt.Equal(p.ModifiedAt) {
		d = &discovered{client: p.client(), modifiedAt: p.ModifiedAt}
		u.discovered[p.ID] = d
	}
	return d
}

// metadata returns the endpoints of a provider, discovered again once an hour, and a context in which to call it.
func (u *Upstreams) metadata(ctx context.Context, p *Provider) (*metadata, context.Context, error) {
	d := u.cached(p)
	ctx = gooidc.ClientContext(ctx, d.client)
	known, due, err := d.look(p, u.Now())
	if !due {
		return known, ctx, err
	}
	read := func(ctx context.Context) (*metadata, error) {
		if known, due, err := d.look(p, u.Now()); !due { // read by those who asked just before
			return known, err
		}
		d.read(ctx, p, u.Now)
		known, _, err := d.look(p, u.Now())
		return known, err
	}
	if known == nil {
		known, err = shared(ctx, u, fmt.Sprintf("%p", d), read)
		return known, ctx, err
	}
	// What is known serves while it is read again.
	u.reads.DoChan(fmt.Sprintf("%p", d), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTakes)
		defer cancel()
		return read(ctx)
	})
	return known, ctx, nil
}

// look returns what is known and may serve, and whether it is time to read it. Where nothing may serve, err says why.
func (d *discovered) look(p *Provider, now time.Time) (known *metadata, due bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != nil && now.Sub(d.readAt) <= metadataServes {
		known = d.current
	} else if d.failure != nil {
		err = fmt.Errorf("%w: discovery of %s: %w", ErrUnreachable, p.ID, d.failure)
	}
	return known, !now.Before(d.nextTry), err
}

// read discovers the endpoints, and notes when to do it again.
func (d *discovered) read(ctx context.Context, p *Provider, now func() time.Time) {
	read, failure := p.kind().discover(ctx, p, d.client)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure = failure; failure != nil {
		d.nextTry = now().Add(retriedAfter)
		return
	}
	if d.current != nil && d.current.JWKSURI == read.JWKSURI {
		read.keys = d.current.keys // which fetches keys again when a signature fits none
	} else {
		read.keys = newKeySet(ctx, d.client, read.JWKSURI, now)
	}
	read.prepare(ctx)
	d.current, d.readAt, d.nextTry = read, now(), now().Add(metadataKept)
}

// prepare makes what calls the provider.
func (m *metadata) prepare(ctx context.Context) {
	config := gooidc.ProviderConfig{
		IssuerURL: m.Issuer, TokenURL: m.TokenEndpoint, UserInfoURL: m.UserinfoEndpoint, JWKSURL: m.JWKSURI,
		Algorithms: m.Algorithms,
	}
	m.openID = config.NewProvider(ctx)
}

// readDocument reads the discovery document below base and says what is wrong with it. checkIssuer says what is wrong
// with its issuer.
func (p *Provider) readDocument(
	ctx context.Context, client *http.Client, base string, checkIssuer func(issuer string) error,
) (*metadata, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, explain(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	m := new(metadata)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("the document is not a JSON object: %w", err)
	}
	if err := checkIssuer(m.Issuer); err != nil {
		return nil, err
	}
	if err := p.checkMetadata(m); err != nil {
		return nil, err
	}
	return m, nil
}

// checkMetadata says what is wrong with the endpoints, and leaves only those algorithms that Wicket accepts.
func (p *Provider) checkMetadata(m *metadata) error {
	endpoints := []string{m.AuthorizationEndpoint, m.TokenEndpoint, m.JWKSURI}
	if m.UserinfoEndpoint != "" {
		endpoints = append(endpoints, m.UserinfoEndpoint)
	}
	for _, endpoint := range endpoints {
		if err := p.checkEndpoint(endpoint); err != nil {
			return err
		}
	}
	m.Algorithms = slices.DeleteFunc(m.Algorithms, func(alg string) bool { return !slices.Contains(algorithms, alg) })
	if len(m.Algorithms) == 0 {
		m.Algorithms = []string{gooidc.RS256}
	}
	return nil
}

// oauth is the configuration of the OAuth 2 client.
func (u *Upstreams) oauth(p *Provider, m *metadata) (*oauth2.Config, error) {
	secret, err := u.secret(p)
	if err != nil {
		return nil, err
	}
	style := oauth2.AuthStyleInHeader // the default of OpenID Connect Discovery, section 3
	if len(m.TokenAuthMethods) > 0 && !slices.Contains(m.TokenAuthMethods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: secret, RedirectURL: u.Callback(p.ID), Scopes: p.kind().scopes(p.Settings.Scopes),
		Endpoint: oauth2.Endpoint{AuthURL: m.AuthorizationEndpoint, TokenURL: m.TokenEndpoint, AuthStyle: style},
	}, nil
}

// Callback is the redirect URI to register at the provider.
func (u *Upstreams) Callback(id string) string { return u.Issuer + "/federation/" + id + "/callback" }

// LogoutURI is the back-channel logout URI to register at the provider.
func (u *Upstreams) LogoutURI(id string) string { return u.Issuer + "/federation/" + id + "/logout" }

// checkIssuer says whether issuer is that of the document, character by character.
func (m *metadata) checkIssuer(issuer string) error {
	if issuer != m.Issuer {
		return fmt.Errorf("the issuer is %q, not %s", issuer, m.Issuer)
	}
	return nil
}
