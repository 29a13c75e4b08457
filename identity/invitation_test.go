package identity

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

const chosenSecret = "chosen-by-the-operator-0123456789"

// Twenty replicas that start with one chosen secret make one invitation; its week begins anew with each start.
func TestFirstInvitationByAChosenSecret(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *testHouse) {
		invite := func(secret string) (bool, error) { return h.InviteFirstBy(t.Context(), secret) }
		works := func(secret string) bool {
			t.Helper()
			invitation, err := h.OpenInvitation(t.Context(), secret)
			if err != nil && !errors.Is(err, ErrProof) {
				t.Fatal(err)
			}
			return err == nil && invitation.IsFirst && len(invitation.Roles) == 1 && invitation.Roles[0] == RoleAdministrator
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
		if lines := h.lines(t, "invitation", "created"); len(lines) != 1 {
			t.Errorf("%d invitations were made", len(lines))
		}
		for _, step := range []struct {
			passes time.Duration
			again  bool
			want   bool
		}{{6 * 24 * time.Hour, false, true}, {0, true, true}, {6 * 24 * time.Hour, false, true}, {25 * time.Hour, false, false}, {0, true, true}} {
			h.pass(step.passes)
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
			t.Errorf("with another secret: %t, %v, it works: %t, the one before: %t", open, err, works(other), works(chosenSecret))
		}

		first, err := h.Register(t.Context(), Registration{Username: "root", Email: "root@example.com", Password: alicePassword, Device: laptop, Secret: other})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{other, chosenSecret} {
			if open, err := invite(secret); err != nil || open || works(secret) {
				t.Errorf("with somebody registered: %t, %v, it works: %t", open, err, works(secret))
			}
		}
		h.exec(t, "DELETE FROM users WHERE id = ?", first.Session.UserID)
		if open, err := invite(other); !errors.Is(err, ErrInvitationUsed) || open || works(other) {
			t.Errorf("the secret of somebody who is gone: %t, %v, it works: %t", open, err, works(other))
		}
	})
}

func TestChosenSecrets(t *testing.T) {
	for secret, want := range map[string]error{
		chosenSecret: nil, strings.Repeat("f0", 32): nil, "": ErrInvitationSecret, "admin": ErrInvitationSecret, strings.Repeat("a", 31): ErrInvitationSecret,
		strings.Repeat("a", 201): ErrInvitationSecret, "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=": ErrInvitationSecret, chosenSecret + "+": ErrInvitationSecret, chosenSecret + "\n": ErrInvitationSecret,
	} {
		if err := CheckInvitationSecret(secret); !errors.Is(err, want) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
