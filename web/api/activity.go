package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
)

// activity are the operations on what happened.
func (a *API) activity() {
	const tag = "activity"
	type entriesIn struct {
		Part
		UserID   uuid.UUID `query:"user_id" format:"uuid" doc:"The person whom it is about."`
		Entity   string    `query:"entity" maxLength:"100"`
		EntityID string    `query:"entity_id" maxLength:"500" doc:"Together with entity."`
		Action   string    `query:"action" maxLength:"100"`
		Since    time.Time `query:"since"`
		Until    time.Time `query:"until"`
	}
	register(a, operation{
		id: "list-audit-entries", method: http.MethodGet, path: "/audit", tag: tag, permission: manage.ReadAuditTrail,
		summary: "Read the audit trail, the newest first",
	}, func(ctx context.Context, by manage.Caller, in *entriesIn) (*body[manage.Page[activity.Entry]], error) {
		page, err := a.Activity.Entries(ctx, by, activity.EntryFilter{
			UserID: in.UserID, Entity: in.Entity, EntityID: in.EntityID, Action: in.Action,
			Since: in.Since, Until: in.Until,
		}, in.part())
		return bodied(&page, err)
	})

	type attemptsIn struct {
		Part
		UserID  uuid.UUID `query:"user_id" format:"uuid"`
		IP      string    `query:"ip" maxLength:"50"`
		Outcome string    `query:"outcome" enum:"success,failure"`
		Since   time.Time `query:"since"`
		Until   time.Time `query:"until"`
	}
	register(a, operation{
		id: "list-login-attempts", method: http.MethodGet, path: "/login-attempts", tag: tag,
		permission: manage.ReadAuditTrail, summary: "Read the attempts to sign in, the newest first",
	}, func(ctx context.Context, by manage.Caller, in *attemptsIn) (*body[manage.Page[activity.Attempt]], error) {
		page, err := a.Activity.Attempts(ctx, by, activity.AttemptFilter{
			UserID: in.UserID, IP: in.IP, Outcome: in.Outcome, Since: in.Since, Until: in.Until,
		}, in.part())
		return bodied(&page, err)
	})
}
