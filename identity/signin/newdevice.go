package signin

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
)

// isNewDevice tells whether a person signs in with a browser or from a network that none of their sessions had before.
// The very first session is familiar: somebody has just registered.
func isNewDevice(ctx context.Context, db bun.IDB, userID uuid.UUID, device identity.Device) (bool, error) {
	var earlier []identity.Session
	err := db.NewSelect().Model(&earlier).Column("fingerprint", "ip").Where("user_id = ?", userID).
		Where("end_reason IS NULL OR end_reason <> ?", identity.EndedByNotMe).
		Where("device_client_id IS NULL"). // which may be far away, with somebody who has tricked the person
		Order("created_at DESC").Limit(sessionsCompared).Scan(ctx)
	if err != nil || len(earlier) == 0 {
		return false, err
	}
	fingerprint := device.Fingerprint()
	knownDevice, knownNetwork := false, false
	for _, other := range earlier {
		knownDevice = knownDevice || other.Fingerprint == fingerprint
		knownNetwork = knownNetwork || identity.Network(other.IP) == identity.Network(device.IP)
	}
	return !knownDevice || !knownNetwork, nil
}

const sessionsCompared = 100
