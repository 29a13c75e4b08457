package refusals

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
)

// Mend is a change of one member of what an app is registered with.
type Mend struct {
	Member  string   `json:"member" doc:"What is changed: redirect_uris, scope, grant_types, ..."`
	Add     []string `json:"add,omitempty" doc:"What is added to it."`
	Set     bool     `json:"set,omitempty" doc:"It is switched on."`
	NewHost string   `json:"new_host,omitempty" doc:"What is added leads to this host, where no address of the app is. Anybody can send such an address: whoever adds it says that it is theirs by repeating it."`
	// the entity tag of the app as it is now
	ClientETag string `json:"client_etag"`
}

var (
	// ErrNoMend says that no change of the app lets in what was refused.
	ErrNoMend = refusal.New("mend.none", "no single change of the app mends this")
	// ErrNewHost says that the host was not repeated to which an address leads that is to be added.
	ErrNewHost = refusal.New("mend.new_host", "repeat the host that the new address leads to")
)

// mend returns a change if it can be made: the app is there, lacks it, and is in order with it.
func (f facts) mend(change Mend) *Mend {
	if f.client == nil || f.client.Origin == clients.OriginDocument ||
		slices.ContainsFunc(change.Add, func(text string) bool { return !oidc.IsWhole(text) }) {
		return nil
	}
	after := *f.client
	after.ResponseTypes = slices.Clone(after.ResponseTypes) // Complete may write there
	if list := listOf(&after, change.Member); list != nil {
		change.Add = slices.DeleteFunc(slices.Clone(change.Add), func(text string) bool {
			return slices.Contains(*list, text)
		})
		if len(change.Add) == 0 {
			return nil
		}
		*list = slices.Concat(*list, change.Add)
	} else {
		after.AnySecretMethod = change.Set
	}
	if after.Complete() != nil {
		return nil
	}
	if isAnyPrograms(f.client, change) {
		return nil
	}
	change.NewHost = newHost(f.client, change)
	return &change
}

// listOf is what an app is registered with under the name of a member that is a list; or nil.
func listOf(client *clients.Client, member string) *[]string {
	switch member {
	case "redirect_uris":
		return &client.RedirectURIs
	case "post_logout_redirect_uris":
		return &client.PostLogoutRedirectURIs
	case "allowed_origins":
		return &client.AllowedOrigins
	case "scope":
		return &client.Scopes
	case "grant_types":
		return &client.GrantTypes
	case "response_types":
		return &client.ResponseTypes
	}
	return nil
}

// isAnyPrograms tells whether an address is to be added that any program on a person's machine could receive answers
// at, where the app has none there yet. Anybody can ask for such an address, and it says nothing of whose it is: that
// is no matter for one button.
func isAnyPrograms(client *clients.Client, change Mend) bool {
	return strings.HasSuffix(change.Member, "_uris") && clients.IsAnyPrograms(change.Add[0]) &&
		!slices.ContainsFunc(client.RedirectURIs, func(uri string) bool {
			return clients.DestinationOf(uri) == clients.DestinationOf(change.Add[0])
		})
}

// newHost is the host, with its port, that an address leads to which is to be added, where the app has none there yet;
// or "".
func newHost(client *clients.Client, change Mend) string {
	if !strings.HasSuffix(change.Member, "_uris") && change.Member != "allowed_origins" {
		return ""
	}
	parsed, err := url.Parse(change.Add[0])
	if err != nil || parsed.Hostname() == "" || oidc.IsLoopback(parsed) {
		return ""
	}
	for _, uri := range slices.Concat(client.RedirectURIs, client.PostLogoutRedirectURIs) {
		if known, err := url.Parse(uri); err == nil && strings.EqualFold(known.Host, parsed.Host) {
			return ""
		}
	}
	return strings.ToLower(parsed.Host)
}

// Mend makes the change of the app that lets in what was refused, where all is as the caller has seen it, by the entity
// tag of the Explained; empty: however it is. newHost repeats Mend.NewHost. It returns the app as it is then, or a
// *manage.ForbiddenError, a *manage.StepUpError, storage.ErrNotFound, ErrNoMend, ErrNewHost, manage.ErrChanged, or what
// apps.Store.PutClient returns.
func (s *Store) Mend(ctx context.Context, by manage.Caller, reference, seen, newHost string) (apps.Client, error) {
	if err := by.Demand(manage.WriteClients); err != nil {
		return nil, err
	}
	explained, err := s.Explain(ctx, by, reference)
	if err != nil {
		return nil, err
	}
	if err := manage.Unchanged(seen, explained); err != nil {
		return nil, err
	}
	switch change := explained.Mend; {
	case change == nil:
		return nil, ErrNoMend
	case !strings.EqualFold(strings.TrimSpace(newHost), change.NewHost):
		return nil, ErrNewHost
	}
	before, err := s.Apps.Client(ctx, by, explained.ClientID)
	if err != nil {
		return nil, err
	}
	wanted, err := explained.Mend.apply(before)
	if err != nil {
		return nil, fmt.Errorf("mend client %s: %w", explained.ClientID, err)
	}
	after, _, err := s.Apps.PutClient(ctx, by, explained.ClientID, wanted, explained.Mend.ClientETag, false)
	return after, err
}

// apply returns an app with the change.
func (m *Mend) apply(to apps.Client) ([]byte, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(to, &members); err != nil {
		return nil, err
	}
	var changed any = m.Set
	switch {
	case m.Member == "scope": // a list with spaces: RFC 7591, section 2
		var scopes string
		if err := unmarshalIfThere(members[m.Member], &scopes); err != nil {
			return nil, err
		}
		changed = strings.Join(append(oidc.ParseScopes(scopes), m.Add...), " ")
	case len(m.Add) > 0:
		var list []string
		if err := unmarshalIfThere(members[m.Member], &list); err != nil {
			return nil, err
		}
		changed = append(list, m.Add...)
	}
	encoded, err := json.Marshal(changed)
	if err != nil {
		return nil, err
	}
	members[m.Member] = encoded
	return json.Marshal(members)
}

// unmarshalIfThere reads a member; one that is left out is empty.
func unmarshalIfThere(encoded json.RawMessage, into any) error {
	if encoded == nil {
		return nil
	}
	return json.Unmarshal(encoded, into)
}
