package authorize

import (
	"regexp"

	"github.com/wicket-id/wicket/oidc"
)

// checkPKCE is RFC 7636, section 4.4.1, less the method plain, which protects against nothing: S256 is required of
// public clients, and of every client that begins with PKCE.
func checkPKCE(_ *Service, a *Request) *oidc.Error {
	challenge, method := a.form.Get("code_challenge"), a.form.Get("code_challenge_method")
	switch {
	case challenge == "" && method != "":
		return oidc.InvalidRequest("code_challenge_method is given without code_challenge.")
	case challenge == "" && a.Client.IsPublic():
		return oidc.InvalidRequest("A public client must use PKCE: code_challenge is missing.")
	case challenge == "":
		return nil
	case method != "S256":
		return oidc.InvalidRequest("code_challenge_method must be S256.")
	case !challengeS256.MatchString(challenge):
		return oidc.InvalidRequest("code_challenge must be a SHA-256 digest in base64url: 43 characters.")
	}
	return nil
}

var challengeS256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
