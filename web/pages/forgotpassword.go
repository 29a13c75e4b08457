package pages

// ForgotPassword asks who has lost their password. It posts login to /forgot-password; what it says then is the same
// whoever was named.
type ForgotPassword struct {
	Sent    bool
	Failure string
}

func (ForgotPassword) Template() (Templates, string) { return templates, "forgotpassword.html" }
