package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/web/pages"
)

// privacyPage lets a person take along what is kept on them, or have it erased.
func (s *Server) privacyPage(c *gin.Context) error {
	session, head, err := s.accountHead(c, "/account/privacy")
	if err != nil || session == nil {
		return err
	}
	return s.show(c, http.StatusOK, pages.Privacy{Head: head, GraceDays: int(identity.ErasureGrace.Hours() / 24)})
}

// download answers with all that is kept on the person, as one JSON file.
func (s *Server) download(c *gin.Context) error {
	session, err := s.freshOwner(c, "/account/privacy")
	if err != nil || session == nil {
		return err
	}
	ctx := c.Request.Context()
	kept, err := s.Identity.Export(ctx, session)
	if err != nil {
		return err
	}
	consents, err := s.Provider.Consents(ctx, session.UserID)
	if err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="wicket-`+s.Now().Format(time.DateOnly)+`.json"`)
	c.IndentedJSON(http.StatusOK, export(kept, consents))
	return nil
}

// eraseAccount schedules that everything about the person is deleted.
func (s *Server) eraseAccount(c *gin.Context) error {
	session, err := s.freshOwner(c, "/account/privacy")
	if err != nil || session == nil {
		return err
	}
	if c.Request.PostForm.Get("sure") != "yes" {
		return redirect(c, "/account/privacy")
	}
	due, err := s.Identity.RequestErasure(c.Request.Context(), session)
	if err != nil {
		return err
	}
	s.clearCookies(c)
	return s.show(c, http.StatusOK, pages.Done{
		Title: "Your account will be erased", Text: "On " + due.Format("2 January 2006") + ". Until then you can change your mind: just sign in.",
	})
}

// export is the file that a person downloads: docs/privacy.md describes it.
func export(kept *identity.Export, consents []oidc.Consent) map[string]any {
	user := kept.User
	emails, phones, roles, sessions, attempts, ledger, allowed, linked := []any{}, []any{}, []any{}, []any{}, []any{}, []any{}, []any{}, []any{}
	for _, email := range kept.Emails {
		emails = append(emails, gin.H{"address": email.Address, "primary": email.IsPrimary, "verified_at": email.VerifiedAt, "created_at": email.CreatedAt})
	}
	for _, phone := range kept.Phones {
		phones = append(phones, gin.H{"number": phone.Number, "primary": phone.IsPrimary, "verified_at": phone.VerifiedAt, "created_at": phone.CreatedAt})
	}
	for _, role := range kept.Roles {
		roles = append(roles, gin.H{"role": role.RoleName, "assigned_at": role.AssignedAt, "active": role.IsActive, "revoked_at": role.RevokedAt})
	}
	devices := []any{}
	for _, device := range kept.Devices {
		devices = append(devices, gin.H{"created_at": device.CreatedAt, "last_used_at": device.LastUsedAt, "trusted_until": device.TrustedUntil})
	}
	for _, account := range kept.Linked {
		linked = append(linked, gin.H{
			"provider": account.Provider, "issuer": account.Issuer, "subject": account.Subject, "label": account.Label, "claims": account.Profile,
			"created_at": account.CreatedAt, "last_used_at": account.LastUsedAt,
		})
	}
	for _, session := range kept.Sessions {
		sessions = append(sessions, gin.H{
			"id": session.ID, "device": session.DeviceLabel, "user_agent": session.UserAgent, "ip": session.IP, "last_seen_ip": session.LastSeenIP,
			"created_at": session.CreatedAt, "last_seen_at": session.LastSeenAt, "ended_at": session.EndedAt, "end_reason": session.EndReason,
		})
	}
	for _, attempt := range kept.Attempts {
		attempts = append(attempts, gin.H{
			"at": attempt.AttemptTime, "typed": attempt.Username, "ip": attempt.IPAddress, "success": attempt.Success,
			"failure_reason": attempt.FailureReason, "method": attempt.Method, "user_agent": attempt.UserAgent,
		})
	}
	for _, entry := range kept.AuditTrail {
		ledger = append(ledger, exportEntry(entry))
	}
	for _, consent := range consents {
		allowed = append(allowed, gin.H{"client_id": consent.ClientID, "granted": consent.GrantedScopes, "declined": consent.DeclinedScopes, "at": consent.GrantedAt})
	}
	profile := kept.Profile
	return map[string]any{
		"account": gin.H{
			"id": user.ID, "username": user.Username, "active": user.IsActive, "created_at": user.CreatedAt, "last_login_at": user.LastLoginAt, "last_login_ip": user.LastLoginIP,
			"password_changed_at": user.PasswordChangedAt,
		},
		"profile": gin.H{
			"name": profile.Name, "given_name": profile.GivenName, "family_name": profile.FamilyName, "middle_name": profile.MiddleName, "nickname": profile.Nickname,
			"profile": profile.Profile, "picture": profile.Picture, "website": profile.Website, "gender": profile.Gender, "birthdate": profile.Birthdate,
			"zoneinfo": profile.Zoneinfo, "locale": profile.Locale, "address": profile.Address,
		},
		"emails": emails, "phones": phones, "roles": roles, "linked_accounts": linked, "factors": exportFactors(kept.Factors), "known_devices": devices, "sessions": sessions, "login_attempts": attempts, "apps": allowed, "audit_trail": ledger,
	}
}

func exportFactors(factors *identity.Factors) gin.H {
	keys := func(key *identity.Authenticator) gin.H {
		return gin.H{
			"name": key.Name, "aaguid": key.AAGUID, "model": key.Model(), "backed_up": key.IsBackedUp(), "transports": key.Transports,
			"clone_warning_at": key.CloneWarningAt, "created_at": key.CreatedAt, "last_used_at": key.LastUsedAt,
		}
	}
	passkeys, hardwareKeys, apps := []any{}, []any{}, []any{}
	for _, passkey := range factors.Passkeys {
		passkeys = append(passkeys, keys(&passkey.Authenticator))
	}
	for _, key := range factors.HardwareKeys {
		hardwareKeys = append(hardwareKeys, keys(&key.Authenticator))
	}
	for _, app := range factors.TOTPs {
		apps = append(apps, gin.H{"name": app.Name, "created_at": app.CreatedAt, "last_used_at": app.LastUsedAt})
	}
	return gin.H{"passkeys": passkeys, "hardware_keys": hardwareKeys, "totps": apps, "backup_codes_left": factors.BackupCodes, "backup_codes_made_at": factors.BackupMadeAt}
}

func exportEntry(entry audit.Entry) gin.H {
	return gin.H{
		"at": entry.At, "entity": entry.Entity, "entity_id": entry.EntityID, "action": entry.Action, "old": entry.OldValues, "new": entry.NewValues,
		"by": entry.Actor, "ip": entry.IP, "user_agent": entry.UserAgent,
	}
}
