package events

import (
	"slices"
	"strings"

	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/storage/audit"
)

// Version is that of what the catalogue says: what an event of a type means and which members its data have. More
// members may come without another version.
const Version = 1

// Type is a kind of event.
type Type struct {
	Name   string
	Entity string // of the line of the audit trail, and its action
	Action string
	Words  string // what has happened, for people who write programs
}

// catalogue names each kind of line of the audit trail once and for all. A name never changes its meaning; several
// kinds may have one name, where the entity tells them apart.
var catalogue = []Type{
	{"user.created", "user", "created", "An account was made."},
	{"user.changed", "user", "changed", "The username of an account was changed, or what else belongs to the account itself."},
	{"user.imported", "user", "imported", "An account was taken over from another system."},
	{"user.disabled", "user", "disabled", "An account was disabled: nobody can sign in to it."},
	{"user.enabled", "user", "enabled", "An account was enabled again."},
	{"user.locked", "user", "locked", "An account was locked for a while, because of wrong passwords."},
	{"user.unlocked", "user", "unlocked", "A lock was taken away."},
	{"user.viewed", "user", "viewed", "An administrator looked at what a person sees."},
	{"user.signed_out_everywhere", "user", "signed_out_everywhere", "All sessions and tokens of a person were ended."},
	{"user.sign_in_disowned", "user", "disowned_sign_in", "A person said that a sign-in, or a change, was not theirs."},
	{"user.factors_reset", "user", "factors_reset", "An administrator took away what a person signs in with besides a password."},
	{"user.erasure_requested", "user", "erasure_requested", "A person asked for their account to be deleted."},
	{"user.erasure_cancelled", "user", "erasure_cancelled", "A person who was to be deleted has signed in: the account stays."},
	{"user.erased", "user", "erased", "An account was deleted for good."},
	{"profile.changed", "profile", "changed", "What a person tells of themself was changed."},

	{"email.added", "email", "added", "An e-mail address was added; nobody has proved yet whose it is."},
	{"email.verified", "email", "verified", "An e-mail address was proved to be the person's."},
	{"email.made_primary", "email", "made_primary", "Another e-mail address is the primary one."},
	{"email.removed", "email", "removed", "An e-mail address was removed."},
	{"phone.added", "phone", "added", "A phone number was added; nobody has proved yet whose it is."},
	{"phone.code_sent", "phone", "code_sent", "A code was sent to a phone number."},
	{"phone.verified", "phone", "verified", "A phone number was proved to be the person's."},
	{"phone.code_refused", "phone", "code_refused", "A wrong code was entered for a phone number."},
	{"phone.refused", "phone", "refused_as_taken", "A phone number was proved that is another account's, and was not added."},
	{"phone.made_primary", "phone", "made_primary", "Another phone number is the primary one."},
	{"phone.removed", "phone", "removed", "A phone number was removed."},

	{"password.set", "password", "set", "An administrator set a password."},
	{"password.changed", "password", "changed", "A person changed their password."},
	{"password.reset", "password", "reset", "A person chose another password by a link."},
	{"password.removed", "password", "removed", "A person signs in without a password from now on."},
	{"password_reset.requested", "password_reset_token", "created", "A link to choose another password was made."},
	{"password_reset.allowed", "password_reset_token", "allowed", "A second factor was shown for such a link."},
	{"factor.added", "passkey", "added", "A passkey, a security key or an authenticator app was added; entity says which."},
	{"factor.added", "hardware_key", "added", ""},
	{"factor.added", "totp", "added", ""},
	{"factor.removed", "passkey", "removed", "One of these was removed."},
	{"factor.removed", "hardware_key", "removed", ""},
	{"factor.removed", "totp", "removed", ""},
	{"factor.kept", "hardware_key", "kept", "One of these, which was to be removed, stays."},
	{"factor.kept", "totp", "kept", ""},
	{"factor.clone_suspected", "passkey", "clone_suspected", "The counter of a passkey or security key went back: somebody may have a copy."},
	{"factor.clone_suspected", "hardware_key", "clone_suspected", ""},
	{"backup_codes.made", "backup_codes", "made", "Backup codes were made."},
	{"backup_codes.used", "backup_code", "used", "A backup code was used up."},
	{"backup_codes.kept", "backup_codes", "kept", "Backup codes, which were to be removed, stay."},
	{"backup_codes.removed", "backup_codes", "removed", "Backup codes were removed."},
	{"known_device.remembered", "known_device", "remembered", "A person signed in with a browser that was not known before."},
	{"known_device.trusted", "known_device", "trusted", "A browser is trusted for a while: no second factor is asked for there."},
	{"known_device.forgotten", "known_device", "forgotten", "A browser is known no more."},
	{"linked_account.added", "external_account", "linked", "An account elsewhere was linked: the person can sign in by it."},
	{"linked_account.removed", "external_account", "unlinked", "Such a link was removed."},
	{"linked_account.tokens_read", "external_account", "tokens_read", "The provider's tokens of such an account were read."},

	{"session.started", "session", "started", "A person signed in."},
	{"session.renewed", "session", "renewed", "A person signed in again, in the session that they had."},
	{"session.strengthened", "session", "strengthened", "A person showed a second factor in their session."},
	{"session.ended", "session", "ended", "A session ended: the person signed out, or was signed out."},

	{"invitation.created", "invitation", "created", "Somebody was invited."},
	{"invitation.used", "invitation", "used", "An invitation was accepted."},
	{"invitation.revoked", "invitation", "revoked", "An invitation was taken back."},
	{"role.granted", "role", "granted", "A person was given a role."},
	{"role.revoked", "role", "revoked", "A role was taken from a person."},
	{"admin_role.granted", "admin_role", "granted", "A person, an app or an API key was given an administrative role."},
	{"admin_role.revoked", "admin_role", "revoked", "An administrative role was taken back."},
	{"group.created", "group", "created", "A group was made."},
	{"group.changed", "group", "changed", "A group was given another name."},
	{"group.deleted", "group", "deleted", "A group was deleted."},
	{"group.released", "group", "released", "A group is declared by no configuration file any more: it can be changed by whoever may."},
	{"group_member.added", "group_member", "added", "A person was put into a group."},
	{"group_member.removed", "group_member", "removed", "A person was taken out of a group."},
	{"group_role.granted", "group_role", "granted", "Everybody in a group was given a role."},
	{"group_role.revoked", "group_role", "revoked", "A role was taken from a group."},

	{"consent.granted", "consent", "granted", "A person allowed an app something; id is the app's client_id."},
	{"consent.withdrawn", "consent", "withdrawn", "A person took that back."},
	{"grant.created", "grant", "created", "An app was granted something by a person."},
	{"grant.code_redeemed", "grant", "code_redeemed", "An app fetched tokens with its code."},
	{"grant.refreshed", "grant", "refresh_token_redeemed", "An app fetched tokens with a refresh token."},
	{"grant.ended", "grant", "ended", "A grant ended, with all of its tokens."},
	{"device_request.approved", "device_request", "approved", "A person let a device without a browser in."},
	{"device_request.denied", "device_request", "denied", "A person kept such a device out."},
	{"access_token.revoked", "access_token", "revoked", "An app revoked an access token."},

	{"client.created", "client", "created", "An app was registered."},
	{"client.changed", "client", "changed", "The registration of an app was changed, or its secret."},
	{"client.deleted", "client", "deleted", "An app was deleted."},
	{"client.disabled", "client", "disabled", "An app was disabled: nobody can sign in to it, and it gets no tokens."},
	{"client.previewed", "client", "previewed", "An administrator was shown what an app would be told of a person."},
	{"client.released", "client", "released", "An app is declared by no configuration file any more: it can be changed by whoever may."},
	{"api.created", "api", "created", "An API was registered."},
	{"api.changed", "api", "changed", "The registration of an API was changed."},
	{"api.deleted", "api", "deleted", "An API was deleted."},
	{"api.released", "api", "released", "An API is declared by no configuration file any more: it can be changed by whoever may."},
	{"registration_token.created", "initial_access_token", "created", "A token by which apps register themselves was made."},
	{"registration_token.revoked", "initial_access_token", "revoked", "Such a token was revoked."},
	{"provider.added", "provider", "added", "A provider to sign in with was added."},
	{"provider.changed", "provider", "changed", "A provider was changed."},
	{"provider.enabled", "provider", "enabled", "A provider was enabled again."},
	{"provider.disabled", "provider", "disabled", "A provider was disabled."},
	{"provider.removed", "provider", "removed", "A provider was removed, with all links to it."},
	{"provider.released", "provider", "released", "A provider is declared by no configuration file any more: it can be changed by whoever may."},

	{"signing_key.created", "signing_key", "created", "A key that signs tokens was made; it signs from signs_from on."},
	{"encryption_key.created", "encryption_key", "created", "A key that apps encrypt requests with was made."},
	{"master_key.resealed", "master_key", "resealed", "What is sealed was sealed anew with the first master key."},
	{"api_key.created", "api_key", "created", "A key of the management API was made."},
	{"api_key.revoked", "api_key", "revoked", "A key of the management API was revoked."},
	{"logout_delivery.resent", "logout_delivery", "resent", "An app that could not be told of a logout is told again."},
	{"webhook.created", "webhook", "created", "A webhook was made."},
	{"webhook.changed", "webhook", "changed", "A webhook was changed, or switched off or on by somebody."},
	{"webhook.secret_rotated", "webhook", "secret_rotated", "A webhook was given another secret."},
	{"webhook.tested", "webhook", "tested", "Somebody wants to see an event arrive; that webhook alone is told, whatever it listens to."},
	{"webhook.resent", "webhook", "resent", "A webhook is told again of what has happened."},
	{"webhook.disabled", "webhook", "disabled", "A webhook was switched off, because it failed for days or said that it is gone."},
	{"webhook.deleted", "webhook", "deleted", "A webhook was deleted."},
}

// TestType is the type of events that are made to see one arrive.
const TestType = "webhook.tested"

// names are the names by entity and action.
var names = func() map[[2]string]string {
	names := make(map[[2]string]string, len(catalogue))
	for _, t := range catalogue {
		names[[2]string{t.Entity, t.Action}] = t.Name
	}
	return names
}()

// Types are the kinds of events that there are.
func Types() []Type { return slices.Clone(catalogue) }

// NameOf is the name of a kind of line of the audit trail, and whether the catalogue has one; a kind that was forgotten
// there is called by what it is.
func NameOf(entity, action string) (name string, known bool) {
	if name, known = names[[2]string{entity, action}]; !known {
		name = entity + "." + action
	}
	return name, known
}

// Names are the names of all types, in the order of the catalogue.
func Names() (all []string) {
	for _, t := range catalogue {
		if !slices.Contains(all, t.Name) {
			all = append(all, t.Name)
		}
	}
	return all
}

// AllTypes chooses every type.
const AllTypes = "*"

// ErrType says that something is no choice of types.
var ErrType = refusal.New("event.type", `a type is one of docs/events.md, such as "user.created", or "user.*", or "*"`)

// Chosen returns the names that some choose: names, beginnings such as "user.*", or "*". It returns ErrType for one
// that chooses nothing.
func Chosen(choices []string) (chosen []string, err error) {
	for _, choice := range choices {
		before := len(chosen)
		for _, name := range Names() {
			if chooses(choice, name) {
				chosen = append(chosen, name)
			}
		}
		if len(chosen) == before {
			return nil, ErrType
		}
	}
	return chosen, nil
}

func chooses(choice, name string) bool {
	noun, isNoun := strings.CutSuffix(choice, ".*")
	return choice == AllTypes || choice == name || isNoun && strings.HasPrefix(name, noun+".")
}

// Choose tells whether one of these chooses a type.
func Choose(choices []string, name string) bool {
	return slices.ContainsFunc(choices, func(choice string) bool { return chooses(choice, name) })
}

// nameOf is the name of a line.
func nameOf(entry *audit.Entry) string {
	name, _ := NameOf(entry.Entity, entry.Action)
	return name
}
