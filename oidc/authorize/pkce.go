package authorize

import (
	"context"
	"regexp"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
)

// checkPKCE is RFC 7636, section 4.4.1, less the method plain, which protects against nothing: S256 is required of
// public clients, of those of which the operator demands it, and of every client that begins with PKCE.
func checkPKCE(_ context.Context, p *Service, a *Request) *oidc.Error {
	challenge, method := a.form.Get("code_challenge"), a.form.Get("code_challenge_method")
	switch {
	case !a.AsksFor("code"): // there is nothing to protect
		return nil
	case challenge == "" && method != "":
		return oidc.InvalidRequest("code_challenge_method is given without code_challenge.")
	case challenge == "" && a.Client.IsPublic():
		return oidc.InvalidRequest("A public client must use PKCE: code_challenge is missing.").Because(oidc.MissingPKCE, nil)
	case challenge == "" && (p.RequirePKCE || a.Client.RequirePKCE):
		return oidc.InvalidRequest("This client must use PKCE: code_challenge is missing.").Because(oidc.MissingPKCE, nil)
	case challenge == "":
		return nil
	case method != "S256":
		return oidc.InvalidRequest("code_challenge_method must be S256.").
			Because(oidc.WrongPKCEMethod, []string{"S256"}, oidc.SentName(method))
	case !challengeS256.MatchString(challenge):
		return oidc.InvalidRequest("code_challenge must be a SHA-256 digest in base64url: 43 characters.")
	}
	return nil
}

var challengeS256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// countProtection counts a request of a confidential client by what keeps its code from being slipped into somebody
// else's session: PKCE or a nonce (RFC 9700, section 4.5.3). So operators see whether they may demand PKCE.
func countProtection(ctx context.Context, a *Request) {
	if a.Client.IsPublic() || !a.AsksFor("code") {
		return // it uses PKCE, or has no use for it
	}
	protection := "neither"
	switch pkce, nonce := a.form.Has("code_challenge"), a.form.Has("nonce"); {
	case pkce && nonce:
		protection = "both"
	case pkce:
		protection = "pkce"
	case nonce:
		protection = "nonce"
	}
	storage.CountEvent(ctx, "code_requests", protection)
}
