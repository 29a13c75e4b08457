package pages

// ForgotPassword asks who has lost their password. It posts login to /forgot-password; what it says then is the same
// whoever was named.
type ForgotPassword struct {
	Sent    bool
	NoMail  bool // this server cannot send email: nothing is asked, and the page says who can help
	Failure string
}

func (ForgotPassword) Template() (Templates, string) { return templates, "forgotpassword.html" }
