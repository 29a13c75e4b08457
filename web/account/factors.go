package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Factors adds and removes what a person signs in with besides a password. Its pages may be part of a sign-in: an app
// may wait for the factor. What is here is common to all factors; each has a file of its own.
type Factors struct{ *frame.Frame }

// name is what authenticators call this Wicket.
func (h Factors) name() string { return "Wicket (" + frame.HostOf(h.Provider.Issuer) + ")" }

// showNewKey shows the page that adds a passkey or a security key.
func (h Factors) showNewKey(v *frame.Visit, status int, page pages.NewKey) error {
	page.App, page.Continue = v.App()
	page.Then, page.LaterURI = frame.Then(v, ""), laterURI(v, page.Continue)
	return v.Show(status, page)
}

// laterURI is where "Not now" leads: back to the app that waits, or where the person came from.
func laterURI(v *frame.Visit, sealed string) string {
	if sealed == "" {
		return frame.Then(v, "/account/security")
	}
	return oidc.PathAuthorize + "?interaction=" + sealed
}

// keyFaults are the reasons why a key was not added that a person is told.
var keyFaults = []error{
	factor.ErrAuthenticator, factor.ErrAuthenticatorModel, factor.ErrAuthenticatorListed, factor.ErrFactorName,
}

// addKey takes the answer of a new passkey or security key; show shows its page again.
func (h Factors) addKey(
	v *frame.Visit,
	add func(ctx context.Context, owner *identity.Reauthenticated, state, response, name string) (string, error),
	show func(v *frame.Visit, status int, failure string) error,
) error {
	secret, err := add(v.Context(), v.Owner, v.Form.Get("state"), v.Form.Get("response"), v.Form.Get("name"))
	if known := refusal.OneOf(err, keyFaults...); known != nil {
		// The operator may want to know which rule it was.
		h.Log.InfoContext(v.Context(), "a key was refused", "request_id", v.RequestID(), "error", err.Error())
		return show(v, http.StatusUnprocessableEntity, v.Language.Refusal(known))
	}
	if err != nil {
		return h.refuse(v, err)
	}
	return h.added(v, secret)
}

// added goes on where the person came from. Their session has got another secret.
func (h Factors) added(v *frame.Visit, secret string) error {
	v.SetSession(secret, v.Session.ExpiresAt)
	factors, err := h.Factors.List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	page := "/account/security?done=factor-added"
	if factors.BackupMadeAt == nil && len(factors.Passkeys)+len(factors.HardwareKeys)+len(factors.TOTPs) == 1 {
		page = "/account/backup-codes?done=factor-added"
	}
	return v.Proceed(frame.Then(v, page))
}

// OfferBackupCodes asks a person to save backup codes.
func (h Factors) OfferBackupCodes(v *frame.Visit) error {
	return v.Show(http.StatusOK, pages.OfferBackupCodes{Notice: notice(h.Frame, v)})
}

// remove removes the factor that the form names.
func (h Factors) remove(
	v *frame.Visit, remove func(context.Context, *identity.Reauthenticated, uuid.UUID) (string, error),
) error {
	id, err := uuid.Parse(v.Form.Get("id"))
	if err != nil {
		return frame.ErrForm
	}
	secret, err := remove(v.Context(), v.Owner, id)
	if err != nil {
		return h.refuse(v, err)
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	return v.Redirect("/account/security?done=factor-removed")
}

// RemovePassword leaves a person with passkeys alone.
func (h Factors) RemovePassword(v *frame.Visit) error {
	secret, err := h.SignIns.Passwords().Remove(v.Context(), v.Owner)
	if err != nil {
		return h.refuse(v, err)
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	return v.Redirect("/account/security?done=password-removed")
}

// factorFaults are the reasons why a factor was not changed that a person is told.
var factorFaults = []error{
	factor.ErrNoKeys, factor.ErrTooManyFactors, factor.ErrLastFactor, identity.ErrTooManyAttempts,
	factor.ErrNothingToBackUp, identity.ErrTooManySendings,
}

// refuse says on the security page why a factor was not changed.
func (h Factors) refuse(v *frame.Visit, err error) error {
	if known := refusal.OneOf(err, factorFaults...); known != nil {
		return Security(h).show(v, http.StatusUnprocessableEntity, pages.Security{Failure: v.Language.Refusal(known)})
	}
	if errors.Is(err, storage.ErrNotFound) { // another tab was faster, or it never was theirs
		return v.Redirect("/account/security?done=gone")
	}
	return err
}

// MakeBackupCodes shows ten new backup codes, once.
func (h Factors) MakeBackupCodes(v *frame.Visit) error {
	codes, secret, err := h.Factors.BackupCodes().Make(v.Context(), v.Owner)
	if err != nil {
		return h.refuse(v, err)
	}
	v.SetSession(secret, v.Session.ExpiresAt)
	return v.Show(http.StatusOK, pages.BackupCodes{Host: frame.HostOf(h.Provider.Issuer), Codes: codes})
}

// Keep keeps the second factors that would be removed, for the person's word by mail that something was not them.
func (h Factors) Keep(v *frame.Visit) error {
	if err := h.Factors.Keep(v.Context(), v.Owner); err != nil {
		return err
	}
	return v.Redirect("/account/security?done=factors-kept")
}

// factorKinds describes a person's factors.
func factorKinds(v *frame.Visit, now time.Time, factors *factor.Factors) []pages.FactorKind {
	passkeys := pages.FactorKind{
		ID: "passkeys", Icon: "passkey", Title: v.Language.Text("security.passkeys"),
		Text:   v.Language.Text("security.passkeys_lead"),
		AddURI: "/account/passkeys/new", Add: v.Language.Text("new_key.passkey"),
		Remove: "/account/passkeys/remove",
	}
	for _, passkey := range factors.Passkeys {
		passkeys.Factors = append(passkeys.Factors, keyFactor(v, now, &passkey.Authenticator))
	}
	keys := pages.FactorKind{
		ID: "hardware-keys", Icon: "key", Title: v.Language.Text("security.hardware_keys"),
		Text:   v.Language.Text("security.hardware_keys_lead"),
		AddURI: "/account/hardware-keys/new", Add: v.Language.Text("new_key.hardware_key"),
		Remove: "/account/hardware-keys/remove",
	}
	for _, key := range factors.HardwareKeys {
		shown := keyFactor(v, now, &key.Authenticator)
		if key.RemovalDueAt != nil {
			shown.Warning = v.Language.Text("security.removed_soon")
		}
		keys.Factors = append(keys.Factors, shown)
	}
	apps := pages.FactorKind{
		ID: "totps", Icon: "phone", Title: v.Language.Text("security.totps"),
		Text:   v.Language.Text("security.totps_lead"),
		AddURI: "/account/totps/new", Add: v.Language.Text("security.add_totp"),
		Remove: "/account/totps/remove",
	}
	for _, app := range factors.TOTPs {
		detail := addedAndUsed(v, now, app.CreatedAt, app.LastUsedAt)
		shown := pages.Factor{ID: app.ID.String(), Name: app.Name, Detail: detail}
		if app.RemovalDueAt != nil {
			shown.Warning = v.Language.Text("security.removed_soon")
		}
		apps.Factors = append(apps.Factors, shown)
	}
	return []pages.FactorKind{passkeys, keys, apps}
}

// addedAndUsed says since when a person has a factor, and when they used it last, if ever.
func addedAndUsed(v *frame.Visit, now, added time.Time, used *time.Time) string {
	if used == nil {
		return v.Language.Text("security.added", locales.Params{"Added": frame.Ago(v, now, added)})
	}
	return v.Language.Text("security.added_and_used", locales.Params{
		"Added": frame.Ago(v, now, added), "Used": frame.Ago(v, now, *used),
	})
}

func keyFactor(v *frame.Visit, now time.Time, key *factor.Authenticator) pages.Factor {
	factor := pages.Factor{
		ID: key.ID.String(), Name: key.Name, Detail: addedAndUsed(v, now, key.CreatedAt, key.LastUsedAt),
	}
	if model := key.Model(); model != "" && model != key.Name {
		factor.Detail += ", " + model
	}
	if key.IsBackedUp() {
		factor.Detail += ", " + v.Language.Text("security.backed_up")
	}
	if key.CloneWarningAt != nil {
		factor.Warning = v.Language.Text("security.copied")
	}
	return factor
}

// codesLeft says how many backup codes a person has; empty where they have no use for any.
func codesLeft(v *frame.Visit, factors *factor.Factors) string {
	switch {
	case len(factors.HardwareKeys)+len(factors.TOTPs)+len(factors.Passkeys) == 0:
		return ""
	case factors.BackupMadeAt == nil:
		return v.Language.Text("security.no_backup_codes")
	}
	left := v.Language.Text("security.backup_codes_left", locales.Params{"Count": factors.BackupCodes})
	if factors.BackupDueAt != nil {
		left += " " + v.Language.Text("security.codes_removed_soon")
	}
	return left
}
