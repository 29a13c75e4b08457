package people

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/storage"
)

// Session is a person signed in on one device.
type Session struct {
	ID         uuid.UUID `json:"id"`
	UserID     uuid.UUID `json:"user_id"`
	Device     string    `json:"device"`
	UserAgent  string    `json:"user_agent"`
	IP         string    `json:"ip" doc:"From where it began."`
	LastSeenIP string    `json:"last_seen_ip"`
	LastSeenAt time.Time `json:"last_seen_at"`
	CreatedAt  time.Time `json:"created_at"`
	AuthTime   time.Time `json:"auth_time" doc:"When the person last proved who they are."`
	ExpiresAt  time.Time `json:"expires_at"`
	AMR        []string  `json:"amr" doc:"How they did: RFC 8176."`
	ACR        string    `json:"acr"`
}

// Sessions lists where a person is signed in, the session last seen first. It returns a *manage.ForbiddenError or
// storage.ErrNotFound.
func (s *Store) Sessions(ctx context.Context, by manage.Caller, userID uuid.UUID) ([]Session, error) {
	if err := s.demandToRead(ctx, by, userID); err != nil {
		return nil, err
	}
	sessions, err := s.SignIns.Sessions().List(ctx, userID)
	if err != nil {
		return nil, err
	}
	views := make([]Session, len(sessions))
	for i, in := range sessions {
		views[i] = Session{
			ID: in.ID, UserID: in.UserID, Device: in.DeviceLabel, UserAgent: in.UserAgent, IP: in.IP,
			LastSeenIP: in.LastSeenIP, LastSeenAt: in.LastSeenAt, CreatedAt: in.CreatedAt, AuthTime: in.AuthTime,
			ExpiresAt: in.ExpiresAt, AMR: in.AMR, ACR: in.ACR,
		}
	}
	return views, nil
}

// EndSession signs a person out on one device. It returns a *manage.ForbiddenError, a *manage.StepUpError, or
// storage.ErrNotFound where no such session of theirs is under way.
func (s *Store) EndSession(ctx context.Context, by manage.Caller, userID, sessionID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	return s.SignIns.Sessions().End(ctx, userID, sessionID, identity.EndedByOperator)
}

// SignOutEverywhere voids every session and token of a person. It returns a *manage.ForbiddenError, a
// *manage.StepUpError or storage.ErrNotFound.
func (s *Store) SignOutEverywhere(ctx context.Context, by manage.Caller, userID uuid.UUID) error {
	if err := s.demandOver(ctx, by, manage.RecoverUsers, userID); err != nil {
		return err
	}
	_, err := s.SignIns.Sessions().SignOutEverywhere(ctx, userID, identity.EndedByOperator)
	return err
}

// demandToRead returns an error where the caller may not see people, or where there is no such person.
func (s *Store) demandToRead(ctx context.Context, by manage.Caller, userID uuid.UUID) error {
	if err := by.Demand(manage.ReadUsers); err != nil {
		return err
	}
	exists, err := s.Database.Reader().NewSelect().Model((*identity.User)(nil)).Where("id = ?", userID).Exists(ctx)
	if err == nil && !exists {
		err = storage.ErrNotFound
	}
	return err
}
