package pages

// VerifyEmail asks a person who came by a link whether an address is theirs. It posts token to /verify-email, and the
// keys of the Ways that stay as keep.
type VerifyEmail struct {
	Address, Username, Token string

	// Ways are what else signs in to the account, where this is its first address: what is not ticked is removed.
	Ways []OtherWay
}

func (VerifyEmail) Template() (Templates, string) { return templates, "verifyemail.html" }
