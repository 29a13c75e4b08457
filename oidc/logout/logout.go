package logout

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Request is a request of an app that the person be signed out: OpenID Connect RP-Initiated Logout, section 2. All of
// it may be empty: a person may come to the endpoint on their own.
type Request struct {
	Client    *clients.Client // who asks; nil: unknown
	SessionID uuid.UUID       // of which the ID token hint speaks, or uuid.Nil
	returnURI string          // vetted
	state     string

	// Refused says why the browser cannot go back to where the app asks; nil: it can, or the app does not ask. The
	// person is signed out all the same: what is wrong is the app's, and they meant it.
	Refused *oidc.Error

	form    url.Values
	schemes []string // that the operator allows: see oidc.Provider.RedirectSchemes
}

// Read reads a logout request. It returns an *Error for one that must not be followed: then the person is told, and
// nobody is redirected. The hint may have expired, and its session have ended, but it must be ours.
func (p *Service) Read(ctx context.Context, form url.Values) (*Request, error) {
	if err := oidc.CheckForm(form); err != nil {
		return nil, err
	}
	form, err := oidc.Parameters(form)
	if err != nil {
		return nil, err
	}
	logout := &Request{form: form, schemes: p.RedirectSchemes, state: form.Get("state")}
	clientID := form.Get("client_id")
	if hint := form.Get("id_token_hint"); hint != "" {
		claims, err := p.Tokens.ReadIDTokenHint(hint)
		if err != nil {
			return nil, oidc.InvalidRequest("The id_token_hint is not an ID token of ours.")
		}
		if clientID != "" && clientID != claims.Audience {
			return nil, oidc.InvalidRequest("The id_token_hint was issued to another client.")
		}
		clientID = claims.Audience
		var malformed error
		if logout.SessionID, malformed = uuid.Parse(claims.SessionID); malformed != nil {
			return nil, oidc.InvalidRequest("The id_token_hint is not an ID token of ours.")
		}
	}
	if clientID != "" {
		client, err := p.Clients.ByID(ctx, clientID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil, oidc.InvalidRequest("The client is unknown.").
				Because(oidc.UnknownClient, nil, oidc.SentName(clientID))
		} else if err != nil {
			return nil, oidc.ServerError(err)
		}
		logout.Client = client
	}
	logout.readReturnURI()
	return logout, nil
}

// readReturnURI reads where the browser shall go back to: nowhere but to an address that the client has registered.
func (l *Request) readReturnURI() {
	uri := l.form.Get("post_logout_redirect_uri")
	switch {
	case uri == "":
		return
	case l.Client == nil:
		l.Refused = oidc.InvalidRequest(
			"post_logout_redirect_uri needs an id_token_hint or a client_id, so that we know whose it is.",
		)
	case !slices.Contains(l.Client.PostLogoutRedirectURIs, uri) ||
		clients.CheckRedirectScheme(l.Client, uri, l.schemes) != nil:
		l.Refused = oidc.InvalidRequest(
			"The post_logout_redirect_uri is not one that this client has registered. It must match exactly.",
		).Because(oidc.WrongLogoutURI, l.Client.PostLogoutRedirectURIs, oidc.SentURI(uri))
	default:
		l.returnURI = uri
		return
	}
	l.Refused.Cause = fmt.Errorf("asked for was %q", uri) // for the log
}

// Names tells whether the request proves that it is about this session: then no question is needed.
func (l *Request) Names(sessionID uuid.UUID) bool {
	return l.SessionID == sessionID && sessionID != uuid.Nil
}

// ReturnURL is where the browser goes after the logout, with the state of the app; empty: nowhere.
func (l *Request) ReturnURL() string {
	if l.returnURI == "" {
		return ""
	}
	response := oidc.Response{RedirectURI: l.returnURI, Mode: "query", Parameters: url.Values{}}
	if l.state == "" {
		return l.returnURI
	}
	response.Parameters.Set("state", l.state)
	return response.URL()
}

// Parameters returns the request, to be carried through the confirmation page and read again.
func (l *Request) Parameters() string { return l.form.Encode() }
