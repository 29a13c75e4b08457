package authorize

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage/audit"
)

// Issue grants scopes to the app that asks and returns the response with the code for it: RFC 6749, section 4.1.2.
// Next has said Issue.
func (p *Service) Issue(
	ctx context.Context, a *Request, session *identity.Session, scopes []string,
) (*oidc.Response, error) {
	now := p.Now()
	grant := p.newGrant(session, a, scopes, now)
	code, parameters, err := p.Grants.IssueCode(ctx, a.accepted, a.Client, grant, a.form.Get("redirect_uri"))
	if err != nil {
		return nil, err
	}
	draft := p.Database.Draft()
	record, err := audit.RecordStatement(ctx, draft, now, audit.Change{
		Entity: "grant", EntityID: grant.ID.String(), Action: "created", UserID: session.UserID,
		New: audit.Values{"client_id": a.Client.ID, "scopes": scopes},
	})
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	participation := &clients.Participation{SessionID: session.ID, ClientID: a.Client.ID, CreatedAt: now}
	err = p.Database.Append(ctx,
		draft.NewInsert().Model(grant),
		draft.NewInsert().Model(participation).On("CONFLICT DO NOTHING"),
		draft.NewInsert().Model(code),
		record)
	if err != nil {
		return nil, oidc.ServerError(fmt.Errorf("issue code: %w", err))
	}
	parameters.Del("state")
	parameters.Set("iss", p.Issuer)
	return a.respond(parameters), nil
}

// newGrant describes what a session grants to an app.
func (p *Service) newGrant(session *identity.Session, a *Request, scopes []string, now time.Time) *oidc.Grant {
	return &oidc.Grant{
		ID: uuid.Must(uuid.NewV7()), UserID: session.UserID, ClientID: a.Client.ID, SessionID: session.ID,
		SessionVersion: session.SessionVersion,
		Scopes:         scopes, AuthTime: session.AuthTime, ACR: claimedACR(a, session), AMR: session.AMR, CreatedAt: now,
		ExpiresAt: now.Add(p.Lifetimes.Grant),
	}
}
