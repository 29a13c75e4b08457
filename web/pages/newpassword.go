package pages

// NewPassword lets a person with a good link choose another password. It posts token and password to /reset-password.
type NewPassword struct {
	Token   string
	Failure string
}

func (NewPassword) page() string { return "newpassword.html" }
