package account

import (
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/groups"
	"github.com/wicket-id/wicket/identity/picture"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/oidc/tokens"
	"github.com/wicket-id/wicket/storage/audit"
)

// export is the file that a person downloads: docs/privacy.md describes it.
func export(
	kept *transfer.Export, consents []authorize.Consent, grants []oidc.GrantInUse, subjects []tokens.PairwiseSubject,
	refused []refusals.Record,
) gin.H {
	user := kept.User
	return gin.H{
		"account": gin.H{
			"id": user.ID, "username": user.Username, "active": user.IsActive, "created_at": user.CreatedAt,
			"last_login_at": user.LastLoginAt, "last_login_ip": user.LastLoginIP,
			"password_changed_at": user.PasswordChangedAt,
		},
		"profile":              exportProfile(kept.Profile),
		"picture":              exportPicture(kept.Picture),
		"emails":               each(kept.Emails, exportEmail),
		"phones":               each(kept.Phones, exportPhone),
		"roles":                each(kept.Roles, exportRole),
		"administrative_roles": each(kept.AdminRoles, exportAdminRole),
		"groups":               each(kept.Groups, exportMembership),
		"roles_by_groups":      each(kept.GroupRoles, exportGroupRole),
		"linked_accounts":      each(kept.Linked, exportLinked),
		"factors":              exportFactors(kept.Factors),
		"known_devices":        each(kept.Devices, exportDevice),
		"sessions":             each(kept.Sessions, exportSession),
		"login_attempts":       each(kept.Attempts, exportAttempt),
		"apps":                 each(consents, exportConsent),
		"grants":               each(grants, exportGrant),
		"subjects":             each(subjects, exportSubject),
		"refusals":             each(refused, exportRefusal),
		"audit_trail":          each(kept.AuditTrail, exportEntry),
	}
}

// each is a list in the file; never null.
func each[T any](kept []T, export func(T) gin.H) []gin.H {
	list := make([]gin.H, 0, len(kept))
	for _, item := range kept {
		list = append(list, export(item))
	}
	return list
}

func exportProfile(profile *profile.Profile) gin.H {
	return gin.H{
		"name": profile.Name, "given_name": profile.GivenName, "family_name": profile.FamilyName,
		"middle_name": profile.MiddleName, "nickname": profile.Nickname, "profile": profile.Profile,
		"picture": profile.Picture, "website": profile.Website, "gender": profile.Gender,
		"birthdate": profile.Birthdate, "zoneinfo": profile.Zoneinfo, "locale": profile.Locale,
		"address": profile.Address,
	}
}

// exportPicture is null where there is none.
func exportPicture(kept *picture.Picture) any {
	if kept == nil {
		return nil
	}
	return gin.H{"media_type": picture.MediaType, "content": kept.Content, "created_at": kept.CreatedAt} // base64
}

func exportEmail(email identity.Email) gin.H {
	return gin.H{
		"address": email.Address, "primary": email.IsPrimary,
		"verified_at": email.VerifiedAt, "created_at": email.CreatedAt,
	}
}

func exportPhone(phone identity.Phone) gin.H {
	return gin.H{
		"number": phone.Number, "primary": phone.IsPrimary,
		"verified_at": phone.VerifiedAt, "created_at": phone.CreatedAt,
	}
}

func exportRole(role identity.Role) gin.H {
	return gin.H{
		"role": role.RoleName, "assigned_at": role.AssignedAt, "active": role.IsActive, "revoked_at": role.RevokedAt,
	}
}

func exportMembership(membership groups.Membership) gin.H {
	return gin.H{
		"group": membership.Group.Slug, "name": membership.Group.Name, "source": membership.Source,
		"since": membership.Since, "active": membership.IsActive, "ended_at": membership.EndedAt,
	}
}

func exportGroupRole(role groups.Role) gin.H {
	return gin.H{"role": role.RoleName, "group": role.Group.Slug}
}

func exportLinked(account identity.ExternalAccount) gin.H {
	return gin.H{
		"provider": account.Provider, "issuer": account.Issuer, "subject": account.Subject, "label": account.Label,
		"claims": account.Profile, "created_at": account.CreatedAt, "last_used_at": account.LastUsedAt,
	}
}

func exportFactors(factors *factor.Factors) gin.H {
	passkey := func(key factor.Passkey) gin.H { return exportKey(&key.Authenticator) }
	hardwareKey := func(key factor.HardwareKey) gin.H { return exportKey(&key.Authenticator) }
	return gin.H{
		"passkeys":             each(factors.Passkeys, passkey),
		"hardware_keys":        each(factors.HardwareKeys, hardwareKey),
		"totps":                each(factors.TOTPs, exportTOTP),
		"backup_codes_left":    factors.BackupCodes,
		"backup_codes_made_at": factors.BackupMadeAt,
	}
}

func exportSubject(subject tokens.PairwiseSubject) gin.H {
	return gin.H{"sector": subject.Sector, "sub": subject.Subject, "created_at": subject.CreatedAt}
}

func exportKey(key *factor.Authenticator) gin.H {
	return gin.H{
		"name": key.Name, "aaguid": key.AAGUID, "model": key.Model(), "backed_up": key.IsBackedUp(),
		"transports": key.Transports, "clone_warning_at": key.CloneWarningAt,
		"created_at": key.CreatedAt, "last_used_at": key.LastUsedAt,
	}
}

func exportTOTP(app factor.TOTP) gin.H {
	return gin.H{"name": app.Name, "created_at": app.CreatedAt, "last_used_at": app.LastUsedAt}
}

func exportDevice(device identity.KnownDevice) gin.H {
	return gin.H{
		"created_at": device.CreatedAt, "last_used_at": device.LastUsedAt, "trusted_until": device.TrustedUntil,
	}
}

func exportSession(session identity.Session) gin.H {
	return gin.H{
		"id": session.ID, "device": session.DeviceLabel, "user_agent": session.UserAgent,
		"ip": session.IP, "last_seen_ip": session.LastSeenIP, "created_at": session.CreatedAt,
		"last_seen_at": session.LastSeenAt, "ended_at": session.EndedAt, "end_reason": session.EndReason,
	}
}

func exportAttempt(attempt signin.LoginAttempt) gin.H {
	return gin.H{
		"at": attempt.AttemptTime, "typed": attempt.Username, "ip": attempt.IPAddress, "success": attempt.Success,
		"failure_reason": attempt.FailureReason, "method": attempt.Method, "user_agent": attempt.UserAgent,
	}
}

func exportConsent(consent authorize.Consent) gin.H {
	return gin.H{
		"client_id": consent.ClientID, "granted": consent.GrantedScopes, "declined": consent.DeclinedScopes,
		"granted_claims": consent.GrantedClaims, "declined_claims": consent.DeclinedClaims, "at_apis": consent.APIs,
		"at": consent.GrantedAt,
	}
}

func exportGrant(grant oidc.GrantInUse) gin.H {
	return gin.H{
		"client_id": grant.ClientID, "scopes": grant.Scopes, "claims": grant.Claims.Names(), "apis": grant.APIs,
		"session_id": grant.SessionID, "created_at": grant.CreatedAt,
		"last_used_at": grant.LastUsedAt, "expires_at": grant.ExpiresAt,
	}
}

func exportEntry(entry audit.Entry) gin.H {
	return gin.H{
		"at": entry.At, "entity": entry.Entity, "entity_id": entry.EntityID, "action": entry.Action,
		"old": entry.OldValues, "new": entry.NewValues, "by": entry.Actor, "ip": entry.IP,
		"user_agent": entry.UserAgent,
	}
}

func exportAdminRole(r administrators.Role) gin.H {
	return gin.H{
		"role": r.Name, "granted_at": r.GrantedAt, "granted_by": r.GrantedBy, "ends_at": r.EndsAt, "revoked_at": r.RevokedAt,
	}
}

func exportRefusal(refused refusals.Record) gin.H {
	return gin.H{
		"at": refused.At, "where": refused.Place, "client_id": refused.ClientID, "error": refused.Error,
		"reason": refused.Reason, "description": refused.Description, "ip": refused.IP, "reference": refused.Reference,
	}
}
