package oidc_test

import (
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

func TestResponseType(t *testing.T) {
	for parameter, want := range map[string]string{
		"": "", " ": "", "code": "code", "token": "", "CODE": "", "code code": "", "none": "none", "none code": "",
		"token id_token": "id_token token", "id_token": "id_token", "token code": "code token",
		"token  id_token code": "code id_token token", "id_token code": "code id_token", "code,id_token": "",
	} {
		if got := oidc.ResponseType(parameter); got != want {
			t.Errorf("%q: %q, want %q", parameter, got, want)
		}
	}
}
