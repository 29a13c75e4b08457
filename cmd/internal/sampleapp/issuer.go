package sampleapp

import (
	"context"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// issuer is Wicket as Daybook sees it: an address, and what discovery said once it answered.
type issuer struct {
	config   Config
	client   *http.Client
	ctx      context.Context // of the app's life; the key set goes on using it after a request has ended
	patience time.Duration   // how long to ask an issuer that is still starting
	turn     chan struct{}   // held by the request that discovers
	found    *metadata
}

// metadata is what Daybook needs to know of the issuer.
type metadata struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config

	EndSession  string `json:"end_session_endpoint"`
	NamesItself bool   `json:"authorization_response_iss_parameter_supported"` // RFC 9207 section 3
}

func newIssuer(ctx context.Context, c Config) *issuer {
	client := &http.Client{Timeout: 10 * time.Second}
	return &issuer{
		config: c, client: client, ctx: oidc.ClientContext(ctx, client), patience: 3 * time.Second,
		turn: make(chan struct{}, 1),
	}
}

// metadata returns the issuer's metadata (OpenID Connect Discovery, section 4), asking for it the first time. An issuer
// that is still starting gets some seconds; after that the answer is a problem that asks the person to wait.
func (i *issuer) metadata(ctx context.Context) (*metadata, error) {
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if i.found != nil {
		return i.found, nil
	}
	var err error
	for end, wait := time.Now().Add(i.patience), 50*time.Millisecond; time.Now().Before(end); wait *= 2 {
		var m *metadata
		if m, err = i.discover(); err == nil {
			i.found = m
			return m, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-i.ctx.Done():
			return nil, i.ctx.Err()
		}
	}
	return nil, problem{Status: http.StatusServiceUnavailable, Title: "Wicket is not answering yet", Again: true,
		Advice: "Daybook asked " + i.config.Issuer +
			" how to sign you in and got no useful answer. This page tries again by itself.",
		Detail: err.Error()}
}

func (i *issuer) discover() (*metadata, error) {
	provider, err := oidc.NewProvider(i.ctx, i.config.Issuer)
	if err != nil {
		return nil, err
	}
	m := &metadata{provider: provider, verifier: provider.Verifier(&oidc.Config{ClientID: i.config.ClientID})}
	if err := provider.Claims(m); err != nil {
		return nil, err
	}
	m.oauth = oauth2.Config{
		ClientID:     i.config.ClientID,
		ClientSecret: i.config.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  i.config.RedirectURI(),
		Scopes:       Scopes,
	}
	// Say how the client authenticates: with "detect", a refused code would be sent a second time.
	m.oauth.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	return m, nil
}

// reach is the context of one conversation with the issuer: it ends with the request, and uses the client with a limit.
func (i *issuer) reach(ctx context.Context) context.Context { return oidc.ClientContext(ctx, i.client) }
