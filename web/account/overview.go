package account

import (
	"cmp"
	"net/http"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Overview is the first page of the account: what needs the person's attention, and where everything is.
type Overview struct{ *frame.Frame }

const (
	newDeviceFor   = 7 * 24 * time.Hour // so long a device is pointed out
	newDevices     = 2                  // so many at the most
	fewBackupCodes = 3                  // fewer are worth a word
)

// standing is how an account stands.
type standing struct {
	user     *identity.User
	emails   []identity.Email
	factors  *factor.Factors
	sessions []identity.Session
}

// Page shows it.
func (h Overview) Page(v *frame.Visit) error {
	top, err := head(h.Frame, v, "/account")
	if err != nil {
		return err
	}
	account, err := h.standing(v)
	if err != nil {
		return err
	}
	page := pages.Overview{
		Head: top, Notice: notice(h.Frame, v), Tasks: h.tasks(v, account), Tiles: tiles(v, account),
	}
	before, err := h.SignIns.Attempts().Before(v.Context(), v.Session)
	if err != nil {
		return err
	}
	if before != nil {
		page.LastSignIn = v.Language.Text("account.sign_in_before", locales.Params{
			"When": frame.Ago(v, h.Now(), before.AttemptTime), "IP": before.IPAddress,
		})
	}
	return v.Show(http.StatusOK, page)
}

func (h Overview) standing(v *frame.Visit) (account standing, err error) {
	if account.user, err = h.Identity.Users().ByID(v.Context(), v.Session.UserID); err != nil {
		return account, err
	}
	if account.emails, err = h.Identity.Emails().List(v.Context(), v.Session.UserID); err != nil {
		return account, err
	}
	if account.factors, err = h.Factors.List(v.Context(), v.Session.UserID); err != nil {
		return account, err
	}
	account.sessions, err = h.Identity.Sessions().List(v.Context(), v.Session.UserID)
	return account, err
}

// tasks are what the person should do, the most pressing first.
func (h Overview) tasks(v *frame.Visit, account standing) []pages.Task {
	var tasks []pages.Task
	if due := account.factors.RemovalDueAt(); due != nil {
		tasks = append(tasks, pages.Task{
			Icon: "alert", Urgent: true, URI: "/account/security", Action: locales.Key("overview.review"),
			Title: v.Language.Text("security.removal"),
			Text:  v.Language.Text("security.removal_lead", locales.Params{"When": v.Language.Moment(*due)}),
		})
	}
	tasks = append(tasks, h.newDevices(v, account.sessions)...)
	tasks = append(tasks, h.addresses(v, account.emails)...)
	return append(tasks, h.strengthen(v, account.factors)...)
}

// newDevices points out where somebody signed in lately: it may not have been the person.
func (h Overview) newDevices(v *frame.Visit, sessions []identity.Session) (tasks []pages.Task) {
	for i := range sessions {
		device := &sessions[i]
		isNew := device.ID != v.Session.ID && h.Now().Sub(device.CreatedAt) < newDeviceFor
		if !isNew || len(tasks) == newDevices {
			continue
		}
		tasks = append(tasks, pages.Task{
			Icon: "devices", URI: devicesPage, Action: locales.Key("overview.review"),
			Title: v.Language.Text("overview.new_device", locales.Params{
				"Device": cmp.Or(device.DeviceLabel, v.Language.Text("account.unknown_device")),
			}),
			Text: v.Language.Text("overview.new_device_text", locales.Params{
				"When": frame.Ago(v, h.Now(), device.CreatedAt),
			}),
		})
	}
	return tasks
}

// addresses says what is missing of the way back into the account, where the server can do something about it.
func (h Overview) addresses(v *frame.Visit, emails []identity.Email) (tasks []pages.Task) {
	if !h.Identity.Mails {
		return nil
	}
	if len(emails) == 0 {
		return []pages.Task{{
			Icon: "mail", Urgent: true, URI: "/account/emails", Action: locales.Key("overview.add"),
			Title: v.Language.Text("overview.add_email"), Text: v.Language.Text("overview.add_email_text"),
		}}
	}
	verified := 0
	for _, email := range emails {
		if email.VerifiedAt != nil {
			verified++
			continue
		}
		tasks = append(tasks, pages.Task{
			Icon: "mail", URI: "/account/emails", Action: locales.Key("page.verify"),
			Title: v.Language.Text("overview.verify", locales.Params{"Address": email.Address}),
			Text:  v.Language.Text("overview.verify_text"),
		})
	}
	for i := range tasks {
		tasks[i].Urgent = verified == 0
	}
	return tasks
}

// strengthen says what would protect the account better.
func (h Overview) strengthen(v *frame.Visit, factors *factor.Factors) []pages.Task {
	switch {
	case isStrong(factors):
	case h.Factors.RelyingParty == nil: // a server with an address alone
		return []pages.Task{{
			Icon: "shield", URI: "/account/totps/new", Action: locales.Key("overview.add"),
			Title: v.Language.Text("new_totp.title"), Text: v.Language.Text("overview.totp_text"),
		}}
	default:
		return []pages.Task{{
			Icon: "passkey", URI: "/account/passkeys/new", Action: locales.Key("overview.add"),
			Title: v.Language.Text("new_key.passkey"), Text: v.Language.Text("overview.passkey_text"),
		}}
	}
	if factors.BackupCodes < fewBackupCodes {
		return []pages.Task{{
			Icon: "codes", URI: "/account/backup-codes", Action: locales.Key("overview.backup_codes_action"),
			Title: v.Language.Text("backup_codes.offer"), Text: v.Language.Text("backup_codes.offer_lead"),
		}}
	}
	return nil
}

// isStrong tells whether a password that is stolen does not open the account.
func isStrong(factors *factor.Factors) bool {
	return len(factors.Passkeys)+len(factors.HardwareKeys)+len(factors.TOTPs) > 0
}

// tiles lead to the parts of the account that people come for.
func tiles(v *frame.Visit, account standing) []pages.Tile {
	way := v.Language.Text("overview.by_password")
	switch {
	case len(account.factors.Passkeys) > 0:
		way = v.Language.Text("overview.by_passkey")
	case account.user.TwoFactor:
		way = v.Language.Text("overview.in_two_steps")
	case account.user.PasswordHash == "":
		way = v.Language.Text("overview.by_linked")
	}
	devices := v.Language.Text("overview.devices", locales.Params{"Count": len(account.sessions)})
	return []pages.Tile{
		{URI: "/account/security", Icon: "shield", Label: locales.Key("account.tab.security"), Detail: way},
		{URI: devicesPage, Icon: "devices", Label: locales.Key("account.tab.devices"), Detail: devices},
		{
			URI: "/account/profile", Icon: "person", Label: locales.Key("account.tab.profile"),
			Detail: v.Language.Text("overview.profile"),
		},
		{
			URI: "/account/apps", Icon: "plug", Label: locales.Key("account.tab.apps"),
			Detail: v.Language.Text("overview.apps"),
		},
	}
}
