package identity

import (
	"context"
	"net/netip"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// isUnfamiliar tells whether a person signs in with a browser or from a network that none of their sessions had before.
// The very first session is familiar: somebody has just registered.
func isUnfamiliar(ctx context.Context, db bun.IDB, userID uuid.UUID, device Device) (bool, error) {
	var earlier []Session
	err := db.NewSelect().Model(&earlier).Column("fingerprint", "ip").Where("user_id = ?", userID).
		Where("end_reason IS NULL OR end_reason <> ?", EndedByNotMe).
		Order("created_at DESC").Limit(sessionsCompared).Scan(ctx)
	if err != nil || len(earlier) == 0 {
		return false, err
	}
	fingerprint := device.fingerprint()
	knownDevice, knownNetwork := false, false
	for _, other := range earlier {
		knownDevice = knownDevice || other.Fingerprint == fingerprint
		knownNetwork = knownNetwork || network(other.IP) == network(device.IP)
	}
	return !knownDevice || !knownNetwork, nil
}

const sessionsCompared = 100

// network is the part of an address that a household or an office keeps: /24 of IPv4, /48 of IPv6.
func network(ip string) string { return prefix(ip, 24, 48) }

func prefix(ip string, bits4, bits6 int) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := bits6
	if address = address.Unmap(); address.Is4() {
		bits = bits4
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return ip
	}
	return prefix.String()
}
