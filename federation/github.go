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

	"golang.org/x/oauth2"
)

// GitHub speaks OAuth 2 alone: there is no ID token, so who somebody is says its API, which is asked over TLS with the
// token that was got for the code. See docs.github.com, "Authorizing OAuth apps" and "REST API endpoints for users" and
// "emails".

// gitHub is where GitHub's endpoints are: of github.com, of a company on ghe.com, or of a GitHub Enterprise Server.
func (p *Provider) gitHub() *metadata {
	return &metadata{
		Issuer: p.Issuer, AuthorizationEndpoint: p.Issuer + "/login/oauth/authorize",
		TokenEndpoint: p.Issuer + "/login/oauth/access_token",
	}
}

func (p *Provider) gitHubAPI() string {
	base, err := url.Parse(p.Issuer)
	if err == nil && (base.Host == "github.com" || strings.HasSuffix(base.Host, ".ghe.com")) {
		return "https://api." + base.Host
	}
	return p.Issuer + "/api/v3"
}

// gitHubEmail is one address of a list at /user/emails.
type gitHubEmail struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

// readGitHub asks who the person is. The numeric id is theirs for ever; the name that they bear may be another's
// tomorrow.
func (p *Provider) readGitHub(
	ctx context.Context, client *http.Client, m *metadata, token *oauth2.Token,
) (*statement, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var user map[string]any
	if err := p.askGitHub(ctx, client, token, "/user", &user); err != nil {
		return nil, err
	}
	id, _ := user["id"].(float64)
	login, _ := user["login"].(string)
	if id < 1 || id != float64(int64(id)) || login == "" {
		return nil, fmt.Errorf("%w: the user has no id", ErrUnbelievable)
	}
	said := &statement{Issuer: m.Issuer, Subject: strconv.FormatInt(int64(id), 10), claims: user}
	for claim, field := range map[string]string{"preferred_username": "login", "nickname": "login", "picture": "avatar_url", "profile": "html_url", "website": "blog"} {
		if value, ok := user[field].(string); ok && value != "" {
			user[claim] = value
		}
	}
	delete(user, "email") // what they show to everybody, which need not be theirs
	var emails []gitHubEmail
	err := p.askGitHub(ctx, client, token, "/user/emails?per_page=100", &emails)
	if errors.Is(err, errNotGranted) { // the person would rather not tell
		return said, nil
	} else if err != nil {
		return nil, err
	}
	for _, email := range emails {
		if email.Primary && email.Verified {
			said.Email, said.EmailVerified = email.Email, true
			user["email"], user["email_verified"] = email.Email, true
		}
	}
	return said, nil
}

var errNotGranted = errors.New("the token is not good for this")

// askGitHub makes one call of the REST API.
func (p *Provider) askGitHub(
	ctx context.Context, client *http.Client, token *oauth2.Token, path string, into any,
) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.gitHubAPI()+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	request.Header.Set("Accept", "application/vnd.github+json")
	request.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	request.Header.Set("User-Agent", "Wicket") // which GitHub insists on
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	limited := response.Header.Get("X-RateLimit-Remaining") == "0" || response.Header.Get("Retry-After") != ""
	switch status := response.StatusCode; {
	case status == http.StatusOK:
	case status == http.StatusTooManyRequests, status == http.StatusForbidden && limited:
		return fmt.Errorf("%w: GitHub's rate limit is used up%s", ErrUnreachable, limitEnds(response.Header))
	case status == http.StatusForbidden, status == http.StatusNotFound: // what a token without the scope gets
		return fmt.Errorf("%w: %w", ErrUnbelievable, errNotGranted)
	case status >= 500:
		return fmt.Errorf("%w: GitHub answered %s", ErrUnreachable, response.Status)
	default:
		return fmt.Errorf("%w: GitHub answered %s", ErrUnbelievable, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("%w: GitHub's answer is no JSON", ErrUnbelievable)
	}
	return nil
}

// limitEnds says until when a rate limit holds, for the log.
func limitEnds(header http.Header) string {
	if seconds, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return " until " + time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
	return ""
}
