package history

import (
	"slices"
	"strings"

	"github.com/wicket-id/wicket/manage/activity"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// sentences say what happened, by kind of thing and action.
var sentences = map[string]locales.Key{
	"access_token.revoked":         locales.Key("console.line.access_token_revoked"),
	"admin_role.granted":           locales.Key("console.line.admin_role_granted"),
	"admin_role.revoked":           locales.Key("console.line.admin_role_revoked"),
	"api.changed":                  locales.Key("console.line.api_changed"),
	"api.created":                  locales.Key("console.line.api_created"),
	"api.deleted":                  locales.Key("console.line.api_deleted"),
	"api.released":                 locales.Key("console.line.api_released"),
	"api_key.created":              locales.Key("console.line.api_key_created"),
	"api_key.revoked":              locales.Key("console.line.api_key_revoked"),
	"backup_code.used":             locales.Key("console.line.backup_code_used"),
	"backup_codes.made":            locales.Key("console.line.backup_codes_made"),
	"client.changed":               locales.Key("console.line.client_changed"),
	"client.created":               locales.Key("console.line.client_created"),
	"client.deleted":               locales.Key("console.line.client_deleted"),
	"client.disabled":              locales.Key("console.line.client_disabled"),
	"client.previewed":             locales.Key("console.line.client_previewed"),
	"client.released":              locales.Key("console.line.client_released"),
	"consent.granted":              locales.Key("console.line.consent_granted"),
	"consent.withdrawn":            locales.Key("console.line.consent_withdrawn"),
	"device_request.approved":      locales.Key("console.line.device_approved"),
	"device_request.denied":        locales.Key("console.line.device_denied"),
	"email.added":                  locales.Key("console.line.email_added"),
	"email.made_primary":           locales.Key("console.line.email_primary"),
	"email.removed":                locales.Key("console.line.email_removed"),
	"email.verified":               locales.Key("console.line.email_verified"),
	"encryption_key.created":       locales.Key("console.line.encryption_key_created"),
	"external_account.linked":      locales.Key("console.line.external_linked"),
	"external_account.unlinked":    locales.Key("console.line.external_unlinked"),
	"grant.code_redeemed":          locales.Key("console.line.grant_code"),
	"grant.created":                locales.Key("console.line.grant_created"),
	"grant.ended":                  locales.Key("console.line.grant_ended"),
	"grant.refresh_token_redeemed": locales.Key("console.line.grant_refreshed"),
	"group.changed":                locales.Key("console.line.group_changed"),
	"group.created":                locales.Key("console.line.group_created"),
	"group.deleted":                locales.Key("console.line.group_deleted"),
	"group.released":               locales.Key("console.line.group_released"),
	"group_member.added":           locales.Key("console.line.member_added"),
	"group_member.removed":         locales.Key("console.line.member_removed"),
	"group_role.granted":           locales.Key("console.line.group_role_granted"),
	"group_role.revoked":           locales.Key("console.line.group_role_revoked"),
	"hardware_key.added":           locales.Key("console.line.hardware_key_added"),
	"hardware_key.removed":         locales.Key("console.line.hardware_key_removed"),
	"initial_access_token.created": locales.Key("console.line.initial_token_created"),
	"initial_access_token.revoked": locales.Key("console.line.initial_token_revoked"),
	"invitation.created":           locales.Key("console.line.invitation_created"),
	"invitation.revoked":           locales.Key("console.line.invitation_revoked"),
	"invitation.used":              locales.Key("console.line.invitation_used"),
	"known_device.forgotten":       locales.Key("console.line.device_forgotten"),
	"known_device.remembered":      locales.Key("console.line.device_remembered"),
	"passkey.added":                locales.Key("console.line.passkey_added"),
	"passkey.removed":              locales.Key("console.line.passkey_removed"),
	"password.changed":             locales.Key("console.line.password_changed"),
	"password.removed":             locales.Key("console.line.password_removed"),
	"password.reset":               locales.Key("console.line.password_reset"),
	"password.set":                 locales.Key("console.line.password_set"),
	"password_reset_token.created": locales.Key("console.line.reset_link"),
	"phone.added":                  locales.Key("console.line.phone_added"),
	"phone.removed":                locales.Key("console.line.phone_removed"),
	"phone.verified":               locales.Key("console.line.phone_verified"),
	"profile.changed":              locales.Key("console.line.profile_changed"),
	"provider.added":               locales.Key("console.line.provider_added"),
	"provider.disabled":            locales.Key("console.line.provider_disabled"),
	"provider.enabled":             locales.Key("console.line.provider_enabled"),
	"provider.released":            locales.Key("console.line.provider_released"),
	"role.granted":                 locales.Key("console.line.role_granted"),
	"role.revoked":                 locales.Key("console.line.role_revoked"),
	"session.ended":                locales.Key("console.line.session_ended"),
	"session.renewed":              locales.Key("console.line.session_renewed"),
	"session.started":              locales.Key("console.line.session_started"),
	"session.strengthened":         locales.Key("console.line.session_strengthened"),
	"signing_key.created":          locales.Key("console.line.signing_key_created"),
	"totp.added":                   locales.Key("console.line.totp_added"),
	"totp.removed":                 locales.Key("console.line.totp_removed"),
	"user.changed":                 locales.Key("console.line.user_changed"),
	"user.created":                 locales.Key("console.line.user_created"),
	"user.disabled":                locales.Key("console.line.user_disabled"),
	"user.disowned_sign_in":        locales.Key("console.line.user_disowned"),
	"user.enabled":                 locales.Key("console.line.user_enabled"),
	"user.erased":                  locales.Key("console.line.user_erased"),
	"user.erasure_cancelled":       locales.Key("console.line.user_kept"),
	"user.erasure_requested":       locales.Key("console.line.user_erasing"),
	"user.factors_reset":           locales.Key("console.line.user_factors_reset"),
	"user.imported":                locales.Key("console.line.user_imported"),
	"user.locked":                  locales.Key("console.line.user_locked"),
	"user.signed_out_everywhere":   locales.Key("console.line.user_signed_out"),
	"user.unlocked":                locales.Key("console.line.user_unlocked"),
	"user.viewed":                  locales.Key("console.line.user_viewed"),
	"phone.code_sent":              locales.Key("console.line.phone_code"),
	"phone.code_refused":           locales.Key("console.line.phone_code_refused"),
	"phone.refused_as_taken":       locales.Key("console.line.phone_refused"),
	"phone.made_primary":           locales.Key("console.line.phone_primary"),
	"password_reset_token.allowed": locales.Key("console.line.reset_allowed"),
	"hardware_key.kept":            locales.Key("console.line.hardware_key_kept"),
	"totp.kept":                    locales.Key("console.line.totp_kept"),
	"passkey.clone_suspected":      locales.Key("console.line.passkey_cloned"),
	"hardware_key.clone_suspected": locales.Key("console.line.hardware_key_cloned"),
	"backup_codes.kept":            locales.Key("console.line.backup_codes_kept"),
	"backup_codes.removed":         locales.Key("console.line.backup_codes_removed"),
	"known_device.trusted":         locales.Key("console.line.device_trusted"),
	"external_account.tokens_read": locales.Key("console.line.external_tokens_read"),
	"provider.changed":             locales.Key("console.line.provider_changed"),
	"provider.removed":             locales.Key("console.line.provider_removed"),
	"master_key.resealed":          locales.Key("console.line.master_key"),
	"logout_delivery.resent":       locales.Key("console.line.logout_resent"),
	"webhook.created":              locales.Key("console.line.webhook_created"),
	"webhook.changed":              locales.Key("console.line.webhook_changed"),
	"webhook.secret_rotated":       locales.Key("console.line.webhook_secret"),
	"webhook.tested":               locales.Key("console.line.webhook_tested"),
	"webhook.resent":               locales.Key("console.line.webhook_resent"),
	"webhook.disabled":             locales.Key("console.line.webhook_disabled"),
	"webhook.deleted":              locales.Key("console.line.webhook_deleted"),
}

// things are the fields by which people know a thing, the best first.
var things = []string{
	"role_name", "role", "group", "slug", "address", "number", "email", "username", "client_id", "name", "device", "provider",
}

// readable are the kinds of things whose id people read.
var readable = []string{"api", "client", "consent", "provider", "signing_key", "encryption_key", "webhook"}

// sentence says what happened, and thing with what; "" where that says nothing.
func sentence(v *frame.Visit, entry *activity.Entry, before, after map[string]any) (said, thing string) {
	if slices.Contains(readable, entry.Entity) {
		thing = entry.EntityID
	}
	for _, field := range things {
		if name := text(after[field]) + text(before[field]); name != "" && (after[field] == nil || before[field] == nil) {
			thing = name
			break
		}
	}
	if key, ok := sentences[entry.Entity+"."+entry.Action]; ok {
		return v.Language.Text(key), thing
	}
	return v.Language.Text("console.line.unknown", locales.Params{
		"Entity": strings.ReplaceAll(entry.Entity, "_", " "), "Action": strings.ReplaceAll(entry.Action, "_", " "),
	}), thing
}
