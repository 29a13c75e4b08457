package authorize

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Why nothing is granted though Next has said so.
var (
	// ErrConfirmationUsed says that the click of a person was answered with a code before.
	ErrConfirmationUsed = errors.New("this confirmation works once, and was used before")
	// ErrOvertaken says that a person has withdrawn or changed their consent since it was read, or that a code was issued
	// for the same pushed request, or that the session has ended: the request must be read, and Next asked, again.
	ErrOvertaken = errors.New("the consent was changed, the pushed request used, or the session ended, meanwhile")
)

// Issue grants what Next has decided, with the step Issue, to the app that asks, and returns the response with the code
// for it, or what else the response type asks for: RFC 6749, section 4.1.2, and OpenID Connect Core, sections 3.2.2.5
// and 3.3.2.5. It returns ErrOvertaken where the consent that allows it does not stand any more, or the request was
// pushed and is used. Where the person had to confirm that they want to go there, their click counts once: for whoever
// finds the address in the browser's history it returns ErrConfirmationUsed.
func (p *Service) Issue(
	ctx context.Context, a *Request, session *identity.Session, decision Decision,
) (*oidc.Response, error) {
	now, draft := p.Now(), p.Database.Draft()
	if strings.HasSuffix(a.ResponseMode, inJWT) { // before anything is granted that the app would not hear of
		if err := p.Clients.CanEncrypt(ctx, a.Client, a.Client.ResponseEncryption); err != nil {
			return nil, err
		}
	}
	issued, err := p.issue(ctx, a, session, decision, now)
	if err != nil {
		return nil, err
	}
	statements, err := issued.statements(ctx, draft, now)
	if err != nil {
		return nil, oidc.ServerError(err)
	}
	if a.Client.MayBeImpersonated(a.RedirectURI) {
		mark := storage.NewOneTimeMark("confirmation", a.confirmation.String(), a.BeganAt.Add(interactionLifetime))
		statements = append(statements, draft.NewInsert().Model(mark))
	}
	participation := &clients.Participation{SessionID: session.ID, ClientID: a.Client.ID, CreatedAt: now}
	statements = append(statements, draft.NewInsert().Model(participation).On("CONFLICT DO NOTHING"))
	var claims []*bun.UpdateQuery
	if a.pushed != nil && !a.pushed.Repeatable {
		claims = append(claims, a.pushed.use(draft, now))
	}
	if decision.By != nil {
		claims = append(claims, decision.By.hold(draft))
	}
	if a.AsksFor("id_token") || a.AsksFor("token") {
		claims = append(claims, holdSession(draft, session))
	}
	stands, err := p.Database.Claim(ctx, claims, statements...)
	if storage.Violates(err, "one_time_marks") {
		return nil, ErrConfirmationUsed
	} else if err != nil {
		return nil, oidc.ServerError(fmt.Errorf("issue: %w", err))
	}
	if !stands {
		return nil, ErrOvertaken
	}
	return p.respond(ctx, a, issued.parameters)
}

// holdSession is an update that finds its row only while the session stands as it was read. What an app gets in the
// front is good without another question, and a logout that comes at the same time would not know of the app. (Who
// has a code is asked at the token endpoint whether its session stands.)
func holdSession(draft bun.IDB, session *identity.Session) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*identity.Session)(nil)).
		Set("ended_at = ended_at").
		Where("id = ? AND ended_at IS NULL", session.ID).
		Where("EXISTS (SELECT 1 FROM users WHERE users.id = session.user_id AND users.is_active AND users.session_version = ?)",
			session.SessionVersion)
}

// issued is what an app gets for an authorization request, and what is written for it.
type issued struct {
	grant      *oidc.Grant  // nil: the app asks for nothing but whether it may (response_type=none)
	code       *grants.Code // nil: it asks for none
	parameters url.Values   // of the answer
}

// issue makes what the response type asks for. It writes nothing.
func (p *Service) issue(
	ctx context.Context, a *Request, session *identity.Session, decision Decision, now time.Time,
) (*issued, error) {
	i := &issued{parameters: url.Values{}}
	if a.ResponseType == "none" {
		return i, nil
	}
	i.grant = p.newGrant(session, a, decision, now)
	if a.AsksFor("code") {
		var err error
		if i.code, i.parameters, err = p.Grants.IssueCode(
			ctx, a.accepted, a.Client, i.grant, a.form.Get("redirect_uri"), a.form.Get("dpop_jkt"),
		); err != nil {
			return nil, err
		}
		i.parameters.Del("state")
	} else {
		i.grant.ExpiresAt = now.Add(max(p.Lifetimes.AccessToken, p.Lifetimes.IDToken)) // nothing can renew it
	}
	if err := p.sign(ctx, a, i.grant, i.parameters, now); err != nil {
		if refused := (*oidc.Error)(nil); errors.As(err, &refused) {
			return nil, refused
		}
		return nil, oidc.ServerError(fmt.Errorf("sign: %w", err))
	}
	return i, nil
}

// statements write the grant and its code, with a line in the audit trail.
func (i *issued) statements(ctx context.Context, draft bun.IDB, now time.Time) ([]schema.QueryAppender, error) {
	if i.grant == nil {
		return nil, nil
	}
	record, err := audit.RecordStatement(ctx, draft, now, audit.Change{
		Entity: "grant", EntityID: i.grant.ID.String(), Action: "created", UserID: i.grant.UserID,
		New: granted(i.grant),
	})
	statements := []schema.QueryAppender{draft.NewInsert().Model(i.grant), record}
	if i.code != nil {
		statements = append(statements, draft.NewInsert().Model(i.code))
	}
	return statements, err
}

// granted is what the audit trail keeps of a grant.
func granted(grant *oidc.Grant) audit.Values {
	values := audit.Values{"client_id": grant.ClientID, "scopes": grant.Scopes, "apis": grant.APIs}
	if claims := grant.Claims.Names(); len(claims) > 0 {
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
