package signin

import (
	"context"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/cache"
)

// MaxFailuresPerSource is how many sign-ins may fail from one source in identity.FailureWindow; a source is a network
// of an internet provider's customer: see identity.Device.
const MaxFailuresPerSource = 100

// countSource counts an attempt from a device's source before it is checked, because guesses may come all at once. One
// that succeeds is taken back by uncountSource. It returns identity.ErrTooManyAttempts.
func countSource(ctx context.Context, c cache.Cache, device identity.Device) error {
	if c.Count(ctx, sourceFailures(device), identity.FailureWindow) > MaxFailuresPerSource {
		return identity.ErrTooManyAttempts
	}
	return nil
}

// uncountSource takes back an attempt that has succeeded.
func uncountSource(ctx context.Context, c cache.Cache, device identity.Device) {
	c.Uncount(ctx, sourceFailures(device))
}

func sourceFailures(device identity.Device) string { return "sign-in failures from " + device.Source() }
