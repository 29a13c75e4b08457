package harness

import "net/url"

// NewPassword is a good password that is not alice's.
const NewPassword = "purple elephants dance at noon"

// SignUpForm is a form that makes an account, with fields changed.
func SignUpForm(change url.Values) url.Values {
	form := url.Values{
		"username": {"carol"}, "email": {"carol@example.com"}, "name": {"Carol Example"}, "password": {NewPassword},
	}
	for name, values := range change {
		form[name] = values
	}
	return form
}
