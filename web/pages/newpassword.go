package pages

// NewPassword lets a person with a good link choose another password. It posts token and password to /reset-password,
// and the keys of the Ways that go as remove.
type NewPassword struct {
	Token    string
	Username string     // whose password it is, for password managers
	Ways     []OtherWay // what else signs in to the account
	Failure  string
}

func (NewPassword) Template() (Templates, string) { return templates, "newpassword.html" }
