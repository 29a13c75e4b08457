package factor_test

import (
	"encoding/base32"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/identitytest"
)

// RFC 6238, appendix B, for SHA-1; with six digits the last six of those eight.
func TestTOTPVectors(t *testing.T) {
	identitytest.Each(t, func(t *testing.T, h *identitytest.Stack) {
		secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte("12345678901234567890"))
		row := &factor.TOTP{Secret: h.Seal.Close(factor.SealForTOTP, []byte(secret))}
		for at, code := range map[int64]string{
			59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
		} {
			h.Clock = time.Unix(at, 0).UTC()
			if step, err := h.Factors.TOTPs().Step(row, code); err != nil || step != at/30 {
				t.Errorf("at %d the code %s is of step %d (%v)", at, code, step, err)
			}
			for _, wrong := range []string{"", "000000", code + "0", code[1:], "x" + code[1:]} {
				if step, _ := h.Factors.TOTPs().Step(row, wrong); step != 0 {
					t.Errorf("at %d %q is taken", at, wrong)
				}
			}
		}
	})
}
