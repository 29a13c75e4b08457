package tokens

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// Preview is what an app would be told of a person who signed in to it now with a password: by the code that tells it,
// so that it cannot be another.
type Preview struct {
	IDToken  map[string]any // but for what is made with a token: at_hash, sid
	Userinfo map[string]any
}

// unknownSubject stands for a pairwise subject that is made at the first sign-in.
const unknownSubject = "(made at the first sign-in)"

// Preview tells what an app would be told of a person, where it was granted these scopes. Nothing is written, and
// nothing issued. It returns storage.ErrNotFound where there is no such person.
func (p *Service) Preview(
	ctx context.Context, client *clients.Client, userID uuid.UUID, scopes []string,
) (*Preview, error) {
	person, err := p.PersonByID(ctx, client, userID)
	if err != nil {
		return nil, err
	}
	subject := userID.String()
	if client.Sector != "" {
		subject, err = readSubject(ctx, p.Database.Reader(), sectorPerson{client.Sector, userID})
		if errors.Is(err, storage.ErrNotFound) {
			subject = unknownSubject
		} else if err != nil {
			return nil, err
		}
	}
	now := p.Now()
	grant := &oidc.Grant{
		UserID: userID, Scopes: scopes, AuthTime: now, ACR: identity.ACRPassword, AMR: []string{"pwd"},
	}
	token := IDToken{Client: client, Grant: grant, Scopes: scopes, AccessToken: "comes with it"}
	if NeedsPerson(client, grant) {
		token.Person = person
	}
	encoded, err := json.Marshal(p.payload(token, subject, now))
	if err != nil {
		return nil, err
	}
	preview := &Preview{Userinfo: person.Claims(scopes, nil)}
	if err := json.Unmarshal(encoded, &preview.IDToken); err != nil {
		return nil, err
	}
	delete(preview.IDToken, "at_hash")
	delete(preview.IDToken, "sid")
	preview.Userinfo["sub"] = subject
	return preview, nil
}
