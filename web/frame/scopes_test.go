package frame

import (
	"testing"

	"github.com/wicket-id/wicket/oidc"
)

func TestEveryScopeHasWords(t *testing.T) {
	for _, scope := range oidc.Scopes {
		if _, ok := scopeWords[scope.Name]; !ok {
			t.Errorf("the consent page has no words for the scope %s", scope.Name)
		}
	}
	if len(scopeWords) != len(oidc.Scopes) {
		t.Errorf("there are words for %d scopes of %d", len(scopeWords), len(oidc.Scopes))
	}
}
