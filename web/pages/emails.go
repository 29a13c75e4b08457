package pages

// Emails is where a person keeps their e-mail addresses. It posts address to /account/emails/add, and id to
// /account/emails/resend, /account/emails/primary and /account/emails/remove.
type Emails struct {
	Head    AccountHead
	Emails  []EmailItem
	Typed   string // what was typed as another address and refused, or ""
	Wrong   string // why it was, or ""
	Notice  string
	Failure string
}

// EmailItem is one address.
type EmailItem struct {
	ID, Address       string
	Primary, Verified bool
}

func (Emails) Template() (Templates, string) { return templates, "emails.html" }
