package frame

import (
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

func TestEveryClaimHasWords(t *testing.T) {
	claims := 0
	for _, scope := range oidc.Scopes[1:] {
		for _, name := range scope.Claims {
			claims++
			if _, ok := claimWords[name]; !ok {
				t.Errorf("the consent page has no words for the claim %s", name)
			}
		}
	}
	if len(claimWords) != claims {
		t.Errorf("there are words for %d claims of %d", len(claimWords), claims)
	}
}
