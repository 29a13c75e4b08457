package manage

import (
	"slices"

	"github.com/wicket-id/wicket/identity/administrators"
)

// Permission is something that may be done. Its name is a scope of the management API.
type Permission string

// What may be done.
const (
	ReadUsers      Permission = "users:read"
	WriteUsers     Permission = "users:write"
	RecoverUsers   Permission = "users:recover"
	EraseUsers     Permission = "users:erase"
	ReadGroups     Permission = "groups:read"
	WriteGroups    Permission = "groups:write"
	ReadClients    Permission = "clients:read"
	WriteClients   Permission = "clients:write"
	RotateSecrets  Permission = "clients:secrets"
	ReadProviders  Permission = "providers:read"
	WriteProviders Permission = "providers:write"
	ReadKeys       Permission = "keys:read"
	RotateKeys     Permission = "keys:rotate"
	ReadAdmins     Permission = "admins:read"
	WriteAdmins    Permission = "admins:write"
	ReadAPIKeys    Permission = "api-keys:read"
	WriteAPIKeys   Permission = "api-keys:write"
	ReadWebhooks   Permission = "webhooks:read"
	WriteWebhooks  Permission = "webhooks:write"
	ReadAuditTrail Permission = "audit:read"

	ReadConfiguration  Permission = "configuration:read"
	ApplyConfiguration Permission = "configuration:apply"
)

// permissions is the table of what may be done: the words by which people are asked whether an app may do it for them,
// whether a person must have shown two factors lately, and which administrative roles allow it.
var permissions = []struct {
	Permission

	words  string
	stepUp bool
	roles  []string
}{
	{ReadUsers, "See people, their sessions and what they sign in with", false, allRoles},
	{WriteUsers, "Register, invite and change people and their roles in apps", false, peopleRoles},
	{RecoverUsers, "End people's sessions, unlock accounts, and reset what people sign in with", true, withSupport},
	{EraseUsers, "Delete people for good", true, topRoles},
	{ReadGroups, "See groups and who is in them", false, allRoles},
	{WriteGroups, "Make and change groups, their roles and who is in them", false, peopleRoles},
	{ReadClients, "See apps and APIs", false, allRoles},
	{WriteClients, "Register, change and delete apps and APIs", false, appRoles},
	{RotateSecrets, "Give apps new secrets", true, appRoles},
	{ReadProviders, "See the providers elsewhere by which people sign in", false, allRoles},
	// Whoever chooses a provider that is trusted can sign in as anybody, owners too.
	{WriteProviders, "Add, change and remove providers by which people sign in", true, []string{administrators.Owner}},
	{ReadKeys, "See the signing keys", false, []string{administrators.Owner, administrators.Administrator, administrators.Auditor}},
	{RotateKeys, "Rotate the signing keys", true, []string{administrators.Owner}},
	{ReadAdmins, "See who administers this server", false, readers},
	{WriteAdmins, "Make people and programs administrators, and take that back", true, topRoles},
	{ReadAPIKeys, "See the keys of the management API", false, readers},
	{WriteAPIKeys, "Make and revoke keys of the management API", true, topRoles},
	{ReadWebhooks, "See webhooks and what they were told", false, readers},
	{WriteWebhooks, "Make, change and delete webhooks, by which programs elsewhere are told what changes", true, topRoles},
	{ReadAuditTrail, "Read the audit trail and the attempts to sign in", false, activityRoles},
	{ReadConfiguration, "Export the configuration of groups, apps, APIs and providers", false, readers},
	{ApplyConfiguration, "Plan and apply configuration files", true, []string{administrators.Owner}},
}

// Groups of roles in the table.
var (
	topRoles      = []string{administrators.Owner, administrators.Administrator}
	peopleRoles   = append(slices.Clone(topRoles), administrators.UserManager)
	withSupport   = append(slices.Clone(peopleRoles), administrators.Support)
	appRoles      = append(slices.Clone(topRoles), administrators.AppManager)
	readers       = append(slices.Clone(topRoles), administrators.Auditor)
	activityRoles = append(slices.Clone(withSupport), administrators.Auditor)
	allRoles      = administrators.Names
)

// Permissions are all that there are, in the order of the table, each with the words for consent.
func Permissions() (names []Permission, words []string) {
	for _, p := range permissions {
		names, words = append(names, p.Permission), append(words, p.words)
	}
	return names, words
}

// PermissionsOf returns what these administrative roles allow together, in the order of the table.
func PermissionsOf(roles []string) (allowed []Permission) {
	for _, p := range permissions {
		if slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(p.roles, role) }) {
			allowed = append(allowed, p.Permission)
		}
	}
	return allowed
}

// needsStepUp tells whether a person must have shown two factors lately to do it.
func needsStepUp(permission Permission) bool {
	for _, p := range permissions {
		if p.Permission == permission {
			return p.stepUp
		}
	}
	return true
}
