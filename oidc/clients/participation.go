package clients

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Participation says that a session signed in to an app: what a device's owner sees, and whom logout must tell.
type Participation struct {
	bun.BaseModel `bun:"table:participations,alias:participation"`

	SessionID uuid.UUID `bun:"session_id,pk,type:uuid"`
	ClientID  string    `bun:"client_id,pk"`
	CreatedAt time.Time `bun:"created_at"`

	Client *Client `bun:"rel:belongs-to,join:client_id=id"`
}

// Participations returns the apps that these sessions signed in to, with their clients, by name.
func (p *Store) Participations(ctx context.Context, sessionIDs []uuid.UUID) ([]Participation, error) {
	if len(sessionIDs) == 0 {
		return nil, nil
	}
	var participations []Participation
	err := p.Database.Reader().NewSelect().Model(&participations).Relation("Client").
		Where("participation.session_id IN (?)", bun.List(sessionIDs)).Order("client.name").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("participations: %w", err)
	}
	return participations, nil
}
