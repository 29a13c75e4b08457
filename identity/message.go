package identity

import (
	"time"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/storage"
)

// Message is something that a person is told outside the browser, as a job. web/notify writes and sends it.
type Message struct {
	Name    string            `json:"name"`             // which message: the constants below
	Channel string            `json:"channel"`          // "mail" or "sms"
	To      string            `json:"to"`               // an e-mail address, or a phone number in E.164
	Person  string            `json:"person"`           // how to address them
	Secret  []byte            `json:"secret,omitempty"` // sealed with SealForMessages: what a link or code consists of
	Values  map[string]string `json:"values,omitempty"` // what else the message tells: codes, and times as of RFC 3339
	Until   time.Time         `json:"until,omitzero"`   // when it is worth nothing any more, if ever
}

// Kind names the job.
func (Message) Kind() string { return "message" }

// InsertOpts chooses the job's queue.
func (m Message) InsertOpts() river.InsertOpts {
	if m.Channel == "mail" {
		return river.InsertOpts{Queue: storage.MailQueue}
	}
	return river.InsertOpts{}
}

// The messages.
const (
	MessageVerifyEmail      = "verify_email"
	MessageVerifyPhone      = "verify_phone"
	MessageResetPassword    = "reset_password"
	MessagePasswordChanged  = "password_changed"
	MessageLocked           = "locked"
	MessageNewSignIn        = "new_sign_in"
	MessageEmailAdded       = "email_added"
	MessageEmailsChanged    = "emails_changed"
	MessagePhoneAdded       = "phone_added"
	MessageFactorAdded      = "factor_added"
	MessageFactorRemoved    = "factor_removed"
	MessageFactorsReset     = "factors_reset"
	MessageFactorsDisowned  = "factors_disowned"
	MessageFactorsKept      = "factors_kept"
	MessageDisownedRemoved  = "disowned_removed"
	MessageWaysRemoved      = "ways_removed"
	MessageBackupCodesMade  = "backup_codes_made"
	MessageBackupCodeUsed   = "backup_code_used"
	MessageKeyCloned        = "key_cloned"
	MessageErasure          = "erasure"
	MessageErasureCancelled = "erasure_cancelled"
	MessageAccountLinked    = "account_linked"
	MessageInvitation       = "invitation"
	MessageDeviceConnected  = "device_connected"
	MessageWebhookDisabled  = "webhook_disabled"
)

// SealForMessages is the purpose with which secrets in messages are sealed on their way through the job queue.
const SealForMessages = "message"

// Mail makes a message to an e-mail address; secret may be empty.
func (s *Store) Mail(name string, user *User, address, secret string, values map[string]string) Message {
	message := Message{Name: name, Channel: "mail", To: address, Person: user.Username, Values: values}
	if secret != "" {
		message.Secret = s.Seal.Close(SealForMessages, []byte(secret))
	}
	return message
}

// text makes a message to a phone number that holds a code, which is good until that time.
func (s *Store) text(name string, user *User, number, code string, until time.Time) Message {
	return Message{
		Name: name, Channel: "sms", To: number, Person: user.Username, Secret: s.Seal.Close(SealForMessages, []byte(code)),
		Until: until,
	}
}

// OriginOf describes where something came from, for the person who reads about it.
func OriginOf(device Device) map[string]string {
	label, _ := device.Describe()
	return map[string]string{"ip": device.IP, "device": label}
}
