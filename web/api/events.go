package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/events"
)

// feed is the operation that reads the feed of events.
func feed(a *API) {
	type feedIn struct {
		After  int64    `query:"after" minimum:"0" doc:"The after of the answer before; left out: the feed is read from its beginning."`
		Type   []string `query:"type" maxItems:"200" doc:"Only of these types: several by commas, user.* for all of a noun."`
		Values bool     `query:"values" doc:"With the values that have changed, personal data among them."`
		Limit  int      `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many events at the most."`
	}
	register(a, operation{
		id: "list-events", method: http.MethodGet, path: "/events", tag: "activity", permission: manage.ReadAuditTrail,
		summary: "Read events in their order, from a number on, where WICKET_EVENT_FEED is on",
	}, func(ctx context.Context, by manage.Caller, in *feedIn) (*body[events.Feed], error) {
		return bodied(a.Events.List(ctx, by, events.Filter{After: in.After, Types: in.Type, Values: in.Values}, in.Limit))
	})
}
