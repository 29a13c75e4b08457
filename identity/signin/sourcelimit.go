package signin

import (
	"context"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/cache"
)

// MaxFailuresPerSource is how many sign-ins may fail in identity.FailureWindow from one source: an IPv4 address, or the
// /64 of an IPv6 address. From wider networks of IPv6, which one customer may have too, there may be more.
const MaxFailuresPerSource = 100

// maxFailures are those of identity.Device's Networks.
var maxFailures = []int64{MaxFailuresPerSource, 2 * MaxFailuresPerSource, 4 * MaxFailuresPerSource}

// checkSource refuses an attempt from a network that has failed too often, with identity.ErrTooManyAttempts. The
// attempts that are checked at that moment are not counted yet; turns bounds their number.
func checkSource(ctx context.Context, c cache.Cache, device identity.Device) error {
	for i, network := range device.Networks() {
		if c.Peek(ctx, sourceFailures(network)) >= maxFailures[i] {
			return identity.ErrTooManyAttempts
		}
	}
	return nil
}

// countFailure counts an attempt that has failed.
func countFailure(ctx context.Context, c cache.Cache, device identity.Device) {
	for _, network := range device.Networks() {
		c.Count(ctx, sourceFailures(network), identity.FailureWindow)
	}
}

func sourceFailures(network string) string { return "sign-in failures from " + network }
