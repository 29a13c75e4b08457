package oidc_test

import (
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

func TestWhatTheClaimOfGroupsMayBeCalled(t *testing.T) {
	t.Parallel()
	for name, may := range map[string]bool{
		"groups": true, "access": true, "https://example.com/groups": true, "": false, "two words": false,
		"sub": false, "Sub": false, "Email_Verified": false, "authorization_details": false, "active": false,
	} {
		if err := oidc.CheckGroupsClaim(name); (err == nil) != may {
			t.Errorf("%q: %v", name, err)
		}
	}
}
