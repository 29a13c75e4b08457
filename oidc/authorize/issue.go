package authorize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Why nothing is granted though Next has said so.
var (
	// ErrConfirmationUsed says that the click of a person was answered with a code before.
	ErrConfirmationUsed = errors.New("this confirmation works once, and was used before")
	// ErrConsentChanged says that a person has withdrawn or changed their consent since it was read: Next must be asked
	// again.
	ErrConsentChanged = errors.New("the consent was withdrawn or changed meanwhile")
)

// Issue grants what Next has decided, with the step Issue, to the app that asks, and returns the response with the code
// for it: RFC 6749, section 4.1.2. It returns ErrConsentChanged where the consent that allows it does not stand any
// more. Where the person had to confirm that they want to go there, their click counts once: for whoever finds the
// address in the browser's history it returns ErrConfirmationUsed.
func (p *Service) Issue(
	ctx context.Context, a *Request, session *identity.Session, decision Decision,
) (*oidc.Response, error) {
	now := p.Now()
	grant := p.newGrant(session, a, decision, now)
	code, parameters, err := p.Grants.IssueCode(ctx, a.accepted, a.Client, grant, a.form.Get("redirect_uri"))
	if err != nil {
		return nil, err
	}
	draft := p.Database.Draft()
	record, err := audit.RecordStatement(ctx, draft, now, audit.Change{
		Entity: "grant", EntityID: grant.ID.String(), Action: "created", UserID: session.UserID,
		New: granted(a.Client, decision),
	})
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	statements := []schema.QueryAppender{draft.NewInsert().Model(grant)}
	if a.Client.MayBeImpersonated(a.RedirectURI) {
		mark := storage.NewOneTimeMark("confirmation", a.confirmation.String(), a.BeganAt.Add(interactionLifetime))
		statements = append(statements, draft.NewInsert().Model(mark))
	}
	participation := &clients.Participation{SessionID: session.ID, ClientID: a.Client.ID, CreatedAt: now}
	statements = append(statements,
		draft.NewInsert().Model(participation).On("CONFLICT DO NOTHING"),
		draft.NewInsert().Model(code),
		record)
	stands := true
	if decision.By == nil {
		err = p.Database.Append(ctx, statements...)
	} else {
		stands, err = p.Database.Claim(ctx, decision.By.hold(draft), statements...)
	}
	if storage.Violates(err, "one_time_marks") {
		return nil, ErrConfirmationUsed
	} else if err != nil {
		return nil, oidc.ServerError(fmt.Errorf("issue code: %w", err))
	}
	if !stands {
		return nil, ErrConsentChanged
	}
	parameters.Del("state")
	parameters.Set("iss", p.Issuer)
	return a.respond(parameters), nil
}

// granted is what the audit trail keeps of a decision.
func granted(client *clients.Client, decision Decision) audit.Values {
	values := audit.Values{"client_id": client.ID, "scopes": decision.Scopes, "apis": decision.APIs}
	if claims := decision.Claims.Names(); len(claims) > 0 {
		values["claims"] = claims
	}
	return values
}

// newGrant describes what a session grants to an app.
func (p *Service) newGrant(session *identity.Session, a *Request, decision Decision, now time.Time) *oidc.Grant {
	return &oidc.Grant{
		ID: uuid.Must(uuid.NewV7()), UserID: session.UserID, ClientID: a.Client.ID, SessionID: session.ID,
		SessionVersion: session.SessionVersion,
		Scopes:         decision.Scopes, Claims: decision.Claims, APIs: decision.APIs,
		AuthTime: session.AuthTime, ACR: claimedACR(a, session), AMR: session.AMR, CreatedAt: now,
		ExpiresAt: now.Add(p.Lifetimes.Grant),
	}
}
