// Package verbs is all that may be done with this server by who administers it, for what leads there: the management
// API and the console.
package verbs

import (
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/manage/apps"
	"github.com/wicket-id/wicket/manage/configuration"
	"github.com/wicket-id/wicket/manage/events"
	"github.com/wicket-id/wicket/manage/groups"
	"github.com/wicket-id/wicket/manage/issuer"
	"github.com/wicket-id/wicket/manage/people"
	"github.com/wicket-id/wicket/manage/providers"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/manage/webhooks"
)

// Set holds the verbs by what they are about. Set all of it.
type Set struct {
	Manage        *manage.Store
	People        *people.Store
	Groups        *groups.Store
	Apps          *apps.Store
	Providers     *providers.Store
	Activity      *activity.Store
	Refusals      *refusals.Store
	Issuer        *issuer.Store
	Events        *events.Store
	Webhooks      *webhooks.Store
	Configuration *configuration.Store
}
