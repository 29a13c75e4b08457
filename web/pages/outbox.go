package pages

// Outbox shows a developer the mail and text messages that would have been sent.
type Outbox struct {
	Messages []OutboxMessage
}

// OutboxMessage is one mail or text message.
type OutboxMessage struct {
	To, Subject, Text, At string
	Link                  string // where its button leads, or ""
}

func (Outbox) Template() (Templates, string) { return templates, "outbox.html" }
