package signin_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/identity/signin"
)

const chosenSecret = "chosen-by-the-operator-0123456789"

// Twenty replicas that start with one chosen secret make one invitation; its week begins anew with each start.
func TestFirstInvitationByAChosenSecret(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		invite := func(secret string) (bool, error) { return h.SignIn.Invitations().CreateFirstWith(t.Context(), secret) }
		works := func(secret string) bool {
			t.Helper()
			invitation, err := h.SignIn.Invitations().Open(t.Context(), secret)
			if err != nil && !errors.Is(err, identity.ErrProof) {
				t.Fatal(err)
			}
			return err == nil && invitation.IsFirst && len(invitation.Roles) == 1 &&
				invitation.Roles[0] == signin.RoleAdministrator
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				<-start
				if open, err := invite(chosenSecret); err != nil || !open {
					t.Errorf("a replica heard: %t, %v", open, err)
				}
			})
		}
		close(start)
		wg.Wait()
		if lines := h.Lines(t, "invitation", "created"); len(lines) != 1 {
			t.Errorf("%d invitations were made", len(lines))
		}
		for _, step := range []struct {
			passes time.Duration
			again  bool
			want   bool
		}{{6 * 24 * time.Hour, false, true}, {0, true, true}, {6 * 24 * time.Hour, false, true}, {25 * time.Hour, false, false}, {0, true, true}} {
			h.Pass(step.passes)
			if step.again {
				if open, err := invite(chosenSecret); err != nil || !open {
					t.Fatalf("another start: %t, %v", open, err)
				}
			}
			if got := works(chosenSecret); got != step.want {
				t.Errorf("%+v: it works: %t", step, got)
			}
		}
		other := strings.ToUpper(chosenSecret)
		if open, err := invite(other); err != nil || !open || !works(other) || works(chosenSecret) {
			t.Errorf(
				"with another secret: %t, %v, it works: %t, the one before: %t", open, err, works(other), works(chosenSecret),
			)
		}

		first, err := h.SignIn.SignUp(t.Context(), signin.SignUp{
			Username: "rosa", Email: "rosa@example.com", Password: identitytest.AlicePassword, Device: identitytest.Laptop,
			Secret: other,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{other, chosenSecret} {
			if open, err := invite(secret); err != nil || open || works(secret) {
				t.Errorf("with somebody registered: %t, %v, it works: %t", open, err, works(secret))
			}
		}
		h.Exec(t, "DELETE FROM users WHERE id = ?", first.Session.UserID)
		if open, err := invite(other); !errors.Is(err, signin.ErrInvitationUsed) || open || works(other) {
			t.Errorf("the secret of somebody who is gone: %t, %v, it works: %t", open, err, works(other))
		}
	})
}

func TestChosenSecrets(t *testing.T) {
	for secret, want := range map[string]error{
		chosenSecret: nil, strings.Repeat("f0", 32): nil, "": signin.ErrInvitationSecret, "admin": signin.ErrInvitationSecret,
		strings.Repeat("a", 31):                        signin.ErrInvitationSecret,
		strings.Repeat("a", 201):                       signin.ErrInvitationSecret,
		"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=": signin.ErrInvitationSecret,
		chosenSecret + "+":                             signin.ErrInvitationSecret,
		chosenSecret + "\n":                            signin.ErrInvitationSecret,
	} {
		if err := signin.CheckInvitationSecret(secret); !errors.Is(err, want) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
