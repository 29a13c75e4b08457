package shell

import (
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// notice says what was done before the page was asked for.
func notice(v *frame.Visit) string {
	if key, ok := notices[v.Gin.Query("done")]; ok {
		return v.Language.Text(key)
	}
	return ""
}

var notices = map[string]locales.Key{
	"saved":              locales.Key("console.done.saved"),
	"person-created":     locales.Key("console.done.person_created"),
	"person-disabled":    locales.Key("console.done.person_disabled"),
	"person-enabled":     locales.Key("console.done.person_enabled"),
	"person-erased":      locales.Key("console.done.person_erased"),
	"email-added":        locales.Key("console.done.email_added"),
	"email-removed":      locales.Key("console.done.email_removed"),
	"unlocked":           locales.Key("console.done.unlocked"),
	"signed-out":         locales.Key("console.done.signed_out"),
	"session-ended":      locales.Key("console.done.session_ended"),
	"factors-reset":      locales.Key("console.done.factors_reset"),
	"grant-ended":        locales.Key("console.done.grant_ended"),
	"role-granted":       locales.Key("console.done.role_granted"),
	"role-revoked":       locales.Key("console.done.role_revoked"),
	"invitation-revoked": locales.Key("console.done.invitation_revoked"),
	"app-deleted":        locales.Key("console.done.app_deleted"),
	"mended":             locales.Key("console.done.mended"),
	"group-created":      locales.Key("console.done.group_created"),
	"group-deleted":      locales.Key("console.done.group_deleted"),
	"member-added":       locales.Key("console.done.member_added"),
	"member-removed":     locales.Key("console.done.member_removed"),
	"admin-granted":      locales.Key("console.done.admin_granted"),
	"admin-revoked":      locales.Key("console.done.admin_revoked"),
	"api-key-revoked":    locales.Key("console.done.api_key_revoked"),
	"webhook-enabled":    locales.Key("console.done.webhook_enabled"),
	"webhook-disabled":   locales.Key("console.done.webhook_disabled"),
	"webhook-tested":     locales.Key("console.done.webhook_tested"),
	"webhook-deleted":    locales.Key("console.done.webhook_deleted"),
	"delivery-resent":    locales.Key("console.done.delivery_resent"),
	"events-resent":      locales.Key("console.done.events_resent"),
	"provider-added":     locales.Key("console.done.provider_added"),
	"provider-removed":   locales.Key("console.done.provider_removed"),
	"keys-rotated":       locales.Key("console.done.keys_rotated"),
}
