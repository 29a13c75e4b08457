package logout

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// BrowserState is what the browser of a session knows it by where scripts can read it: OpenID Connect Session
// Management, section 4.2. It tells nothing of the session, and is another in the next one. It is empty unless the
// operator wants it.
func (p *Service) BrowserState(sessionID uuid.UUID) string {
	if !p.SessionManagement || sessionID == uuid.Nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(p.Seal.Derive("browser state", sessionID[:])[0])
}

// AddSessionState adds the parameter session_state to an answer with a code, by which the app finds out later, in a
// frame of ours, whether the person is still signed in: Session Management, section 3. An app that is no web page can
// have no frame.
func (p *Service) AddSessionState(response *oidc.Response, client *clients.Client, sessionID uuid.UUID) {
	state, origin := p.BrowserState(sessionID), pageOrigin(response.RedirectURI)
	if state == "" || origin == "" || response.Parameters.Has("response") { // JARM: nothing stands beside what is signed
		return
	}
	response.Parameters.Set("session_state", sessionState(client.ID, origin, state, rand.Text()))
}

// sessionState is what checksession.js computes too.
func sessionState(clientID, origin, browserState, salt string) string {
	sum := sha256.Sum256([]byte(clientID + " " + origin + " " + browserState + " " + salt))
	return hex.EncodeToString(sum[:]) + "." + salt
}

// pageOrigin is the origin of a page as browsers write it: in lower case, without the port of the scheme; empty where
// no page has that address.
func pageOrigin(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" {
		return ""
	}
	host, port := strings.ToLower(parsed.Hostname()), parsed.Port()
	switch {
	case port != "" && port != map[string]string{"https": "443", "http": "80"}[parsed.Scheme]:
		host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return parsed.Scheme + "://" + host
}
