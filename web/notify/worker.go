package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/seal"
)

// Email is a message as it goes out.
type Email struct {
	To      string
	Subject string
	Text    string
	HTML    string
}

// Sender hands emails on. An error means that it should be tried again.
type Sender interface {
	Send(ctx context.Context, email Email) error
}

// Worker does the jobs of kind "message": it writes the email or text message and hands it to a sender.
type Worker struct {
	river.WorkerDefaults[identity.Message]

	Issuer string
	Seal   *seal.Seal
	Mail   func() Sender     // returns nil where there is no way to send mail
	Texts  func() TextSender // returns nil where there is no way to send text messages
	Log    *slog.Logger
}

// Work does one job.
func (w *Worker) Work(ctx context.Context, job *river.Job[identity.Message]) error {
	message := job.Args
	if !message.Until.IsZero() && time.Now().After(message.Until) {
		return river.JobCancel(fmt.Errorf("message %s: %w", message.Name, errTooLate))
	}
	isText, mail, texts := message.Channel == "sms", w.Mail(), w.Texts()
	if isText && texts == nil {
		w.Log.Warn("a text message was not sent, for WICKET_SMS_URL is not set", "message", message.Name)
		return nil
	}
	if !isText && mail == nil {
		w.Log.Warn("a mail was not sent, for WICKET_SMTP_URL is not set", "message", message.Name)
		return nil
	}
	var secret string
	if message.Secret != nil {
		opened, err := w.Seal.Open(identity.SealForMessages, message.Secret)
		if err != nil {
			return river.JobCancel(fmt.Errorf("message %s: %w", message.Name, err)) // no retry will open it
		}
		secret = string(opened)
	}
	if isText {
		text, err := writeText(w.Issuer, message, secret)
		if err != nil {
			return river.JobCancel(err)
		}
		// Ids of jobs begin anew with a new database; with the time they do not come again.
		id := fmt.Sprintf("%d-%d", job.ID, job.CreatedAt.Unix())
		if err := texts.SendText(ctx, Text{ID: id, To: message.To, Text: text}); err != nil {
			return fmt.Errorf("send %s: %w", message.Name, err)
		}
		return nil
	}
	email, err := writeEmail(w.Issuer, message, secret)
	if err != nil {
		return river.JobCancel(err)
	}
	if err := mail.Send(ctx, email); err != nil {
		return fmt.Errorf("send %s: %w", message.Name, err)
	}
	return nil
}

var (
	errUnknownMessage = errors.New("there is no message of this name")
	errTooLate        = errors.New("it could not be sent while it was worth anything")
)
