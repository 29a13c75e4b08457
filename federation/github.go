package federation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const authorityGitHub = "https://github.com"

// gitHub speaks OAuth 2 without OpenID Connect: there is no ID token, so its API says who the person is. It is called
// over TLS with the access token. A provider's Issuer is the base URL: of github.com, of a company on ghe.com, or of a
// GitHub Enterprise Server. See docs.github.com, "Authorizing OAuth apps" and "REST API endpoints for users" and
// "emails".
type gitHub struct{}

func (gitHub) setDefaults(p *Provider) {
	p.fill("GitHub", authorityGitHub, EmailsProved)
	p.Issuer = strings.TrimSuffix(p.Issuer, "/")
}

func (gitHub) checkSettings(s *Settings) error {
	if err := s.refuseTenants(); err != nil {
		return err
	}
	return s.requireProvedDomains()
}

// discover reads nothing: GitHub has no discovery document.
func (gitHub) discover(_ context.Context, p *Provider, _ *http.Client) (*metadata, error) {
	return &metadata{
		Issuer: p.Issuer, AuthorizationEndpoint: p.Issuer + "/login/oauth/authorize",
		TokenEndpoint: p.Issuer + "/login/oauth/access_token", TokenAuthMethods: []string{"client_secret_post"},
	}, nil
}

func (gitHub) scopes(configured []string) []string {
	if len(configured) > 0 {
		return configured
	}
	return []string{"read:user", "user:email"}
}

// parameters asks to choose an account where the person is to sign in again: GitHub does not know another way.
func (gitHub) parameters(_ *Provider, o RequestOptions, _ string) map[string]string {
	parameters := make(map[string]string)
	if o.LoginHint != "" {
		parameters["login"] = o.LoginHint
	}
	if o.Again || o.Select {
		parameters["prompt"] = "select_account"
	}
	return parameters
}

func (gitHub) checkResponseIssuer(_ *Provider, m *metadata, issuer string) error {
	return m.checkIssuer(issuer)
}

func (gitHub) isAuthoritative(*verifiedClaims) bool { return true }

func (gitHub) domain(verified *verifiedClaims, proved bool) string {
	return verified.provedDomain(proved)
}

// gitHubFields are the fields of a user that have a name in OpenID Connect, by that.
var gitHubFields = map[string]string{
	"preferred_username": "login", "nickname": "login", "picture": "avatar_url", "profile": "html_url", "website": "blog",
}

// gitHubEmail is one address of a list at /user/emails.
type gitHubEmail struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

// identify asks who the person is. The numeric id is theirs for good; their login may be another person's tomorrow.
func (gitHub) identify(ctx context.Context, r *tokenResponse) (*verifiedClaims, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var user map[string]any
	if err := r.getGitHub(ctx, "/user", &user); err != nil {
		return nil, err
	}
	id, _ := user["id"].(float64)
	login, _ := user["login"].(string)
	if id < 1 || id != float64(int64(id)) || login == "" {
		return nil, fmt.Errorf("%w: the user has no id", ErrInvalidResponse)
	}
	verified := &verifiedClaims{Issuer: r.metadata.Issuer, Subject: strconv.FormatInt(int64(id), 10), claims: user}
	for claim, field := range gitHubFields {
		if value, ok := user[field].(string); ok && value != "" {
			user[claim] = value
		}
	}
	delete(user, "email") // the public one, which need not be verified
	var emails []gitHubEmail
	err := r.getGitHub(ctx, "/user/emails?per_page=100", &emails)
	if errors.Is(err, errNotGranted) { // the person did not allow it
		return verified, nil
	} else if err != nil {
		return nil, err
	}
	for _, email := range emails {
		if email.Primary && email.Verified {
			verified.Email, verified.EmailVerified = email.Email, true
			user["email"], user["email_verified"] = email.Email, true
		}
	}
	return verified, nil
}

var errNotGranted = errors.New("the access token lacks the scope")

// getGitHub makes one call of the REST API.
func (r *tokenResponse) getGitHub(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gitHubAPI(r.provider.Issuer)+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.AccessToken)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	request.Header.Set("User-Agent", "Wicket") // which GitHub requires
	response, err := r.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	limited := response.Header.Get("X-RateLimit-Remaining") == "0" || response.Header.Get("Retry-After") != ""
	switch status := response.StatusCode; {
	case status == http.StatusOK:
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && limited:
		return fmt.Errorf("%w: GitHub's rate limit is used up%s", ErrUnreachable, limitEnds(response.Header))
	case status == http.StatusForbidden, status == http.StatusNotFound: // a token without the scope
		return fmt.Errorf("%w: %w", ErrInvalidResponse, errNotGranted)
	case status >= 500:
		return fmt.Errorf("%w: GitHub answered %s", ErrUnreachable, response.Status)
	default:
		return fmt.Errorf("%w: GitHub answered %s", ErrInvalidResponse, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("%w: GitHub's response is not JSON", ErrInvalidResponse)
	}
	return nil
}

// gitHubAPI is the base URL of the REST API.
func gitHubAPI(issuer string) string {
	base, err := url.Parse(issuer)
	if err == nil && (base.Host == "github.com" || strings.HasSuffix(base.Host, ".ghe.com")) {
		return "https://api." + base.Host
	}
	return issuer + "/api/v3"
}

// limitEnds says until when a rate limit holds, for the log.
func limitEnds(header http.Header) string {
	if seconds, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return " until " + time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	return ""
}
