package sampleapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

// What an agent may be allowed to do with Daybook's notes: the scopes of the API at Config.MCPURI.
const (
	NotesRead  = "notes:read"
	NotesWrite = "notes:write"
)

// MCPURI is where agents find Daybook as a server of the Model Context Protocol, and the audience of their tokens.
func (c Config) MCPURI() string { return c.BaseURL + "/mcp" }

// MCPMetadataURI is where agents read who issues tokens for MCPURI: RFC 9728, section 3.
func (c Config) MCPMetadataURI() string { return c.BaseURL + mcpMetadataPath }

const mcpMetadataPath = "/.well-known/oauth-protected-resource/mcp"

// notebook is what people have written, or had an agent write, by their sub. It is forgotten when Daybook ends.
type notebook struct {
	mu    sync.Mutex
	notes map[string][]string
}

// The bounds of a notebook: Daybook is for trying things.
const (
	maxNotes   = 100 // of one person
	maxWriters = 1000
	maxNote    = 1000 // bytes
)

func (n *notebook) read(sub string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.notes[sub])
}

// write adds a note, or says why there is no room for it.
func (n *notebook) write(sub, note string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch written := n.notes[sub]; {
	case note == "" || len(note) > maxNote:
		return fmt.Errorf("a note has between 1 and %d bytes", maxNote)
	case len(written) >= maxNotes || written == nil && len(n.notes) >= maxWriters:
		return errors.New("the notebook is full; restart Daybook to empty it")
	}
	n.notes[sub] = append(n.notes[sub], note)
	return nil
}

type (
	noArguments struct{}
	newNote     struct {
		Text string `json:"text" jsonschema:"what to write down"`
	}
	notes struct {
		Notes []string `json:"notes"`
	}
)

// mcpServer serves the notebook to agents, with tokens for it alone.
func (a *App) mcpServer() http.Handler {
	book := &notebook{notes: make(map[string][]string)}
	server := mcp.NewServer(&mcp.Implementation{Name: "daybook", Title: Name, Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "read_notes", Description: "Read what the person has written down."},
		func(_ context.Context, call *mcp.CallToolRequest, _ noArguments) (*mcp.CallToolResult, notes, error) {
			sub, err := allowed(call, NotesRead)
			return nil, notes{append([]string{}, book.read(sub)...)}, err
		})
	mcp.AddTool(server, &mcp.Tool{Name: "write_note", Description: "Write something down for the person."},
		func(_ context.Context, call *mcp.CallToolRequest, note newNote) (*mcp.CallToolResult, notes, error) {
			sub, err := allowed(call, NotesWrite)
			if err == nil {
				err = book.write(sub, note.Text)
			}
			return nil, notes{append([]string{}, book.read(sub)...)}, err
		})
	handler := mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true},
	)
	return auth.RequireBearerToken(a.verifyToken, &auth.RequireBearerTokenOptions{
		ResourceMetadataURL: a.config.MCPMetadataURI(),
	})(handler)
}

// mcpMetadata says who issues tokens for the MCP server: RFC 9728, section 2.
func (a *App) mcpMetadata() http.Handler {
	return auth.ProtectedResourceMetadataHandler(&oauthex.ProtectedResourceMetadata{
		Resource: a.config.MCPURI(), AuthorizationServers: []string{a.config.Issuer}, ResourceName: Name,
		ScopesSupported: []string{NotesRead, NotesWrite, oidc.ScopeOfflineAccess}, BearerMethodsSupported: []string{"header"},
	})
}

// allowed returns whose token a call came with, if the person has allowed the agent what that scope says.
func allowed(call *mcp.CallToolRequest, scope string) (sub string, err error) {
	info := call.Extra.TokenInfo
	if !slices.Contains(info.Scopes, scope) {
		return "", fmt.Errorf("the person has not allowed %s", scope)
	}
	return info.UserID, nil
}

// verifyToken checks an access token as docs/protect-an-api.md says: its signature, issuer, audience and time.
func (a *App) verifyToken(ctx context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
	m, err := a.issuer.metadata(ctx)
	if err != nil {
		return nil, err
	}
	verifier := m.provider.Verifier(&oidc.Config{
		ClientID: a.config.MCPURI(), SupportedSigningAlgs: []string{oidc.ES256},
	})
	verified, err := verifier.Verify(a.issuer.reach(ctx), token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	var claims struct {
		Scope string `json:"scope"`
	}
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	return &auth.TokenInfo{
		UserID: verified.Subject, Scopes: strings.Fields(claims.Scope), Expiration: verified.Expiry,
	}, nil
}
