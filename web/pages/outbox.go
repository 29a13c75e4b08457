package pages

// Outbox shows a developer the mail and text messages that would have been sent.
type Outbox struct {
	Messages []OutboxMessage
}

// OutboxMessage is one mail or text message.
type OutboxMessage struct {
	To, Subject, At string
	Text            string // to its end, or to its link
	Link            string // where its button leads, or ""
	After           string // what comes after the link
}

func (Outbox) Template() (Templates, string) { return templates, "outbox.html" }
