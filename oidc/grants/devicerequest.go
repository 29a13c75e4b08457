package grants

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/access"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
)

// DeviceRequest is what a device without a browser has asked for (RFC 8628), by the digest of its device code, and what
// a person has decided about it. It is redeemed once; the row stays for a while as its tombstone.
type DeviceRequest struct {
	bun.BaseModel `bun:"table:device_requests,alias:device_request"`

	DeviceHash []byte     `bun:"device_hash,pk"`
	UserCode   []byte     `bun:"user_code"` // what only we can compute from what the person types
	ClientID   string     `bun:"client_id"`
	Form       url.Values `bun:"form,type:jsonb"` // as sent, without the client's credentials
	IP         string     `bun:"ip"`              // of who asked
	UserAgent  string     `bun:"user_agent"`
	CreatedAt  time.Time  `bun:"created_at"`
	ExpiresAt  time.Time  `bun:"expires_at"`
	Status     string     `bun:"status"`

	DecidedAt *time.Time    `bun:"decided_at"`
	UserID    uuid.NullUUID `bun:"user_id,type:uuid"` // who has decided
	// what follows is of who has approved: in which session, and what they have allowed
	ApprovedIn     uuid.NullUUID       `bun:"approved_in,type:uuid"`
	SessionVersion int64               `bun:"session_version,nullzero"`
	Scopes         []string            `bun:"scopes,type:jsonb,nullzero"`
	Claims         *oidc.ClaimsRequest `bun:"claims,type:jsonb"`
	APIs           oidc.APIScopes      `bun:"apis,type:jsonb,nullzero"`
	AMR            []string            `bun:"amr,type:jsonb,nullzero"`
	ACR            string              `bun:"acr,nullzero"`         // the class of the session
	ClaimedACR     string              `bun:"claimed_acr,nullzero"` // the one that the app is told
	AuthTime       *time.Time          `bun:"auth_time"`

	GrantID uuid.NullUUID `bun:"grant_id,type:uuid"` // that the device code was redeemed for
	UsedAt  *time.Time    `bun:"used_at"`
}

// What a person has decided about a DeviceRequest.
const (
	DevicePending  = "pending"
	DeviceApproved = "approved"
	DeviceDenied   = "denied"
)

// How long a device code lives, and how long an app has to wait between two questions, at first and longer by the same
// with each that came too early: RFC 8628, sections 3.2 and 3.5.
const (
	DeviceCodeLifetime = 10 * time.Minute
	DeviceCodeInterval = 5 * time.Second
)

// Name is what a request is called in the audit trail and in the log.
func (r *DeviceRequest) Name() string { return uuid.UUID(r.DeviceHash[:16]).String() }

// leavesDevices are the reasons for which the session of who has approved may end before the device fetches its tokens:
// they are done at that browser. Every other one says that the session may not have been theirs.
var leavesDevices = []string{identity.EndedBySignOut, identity.EndedByReplacing, identity.EndedByClient}

// deviceWithStanding is a DeviceRequest with what has become of who has approved it.
type deviceWithStanding struct {
	DeviceRequest `bun:",extend"`

	UserIsActive       bool          `bun:"user_is_active"`
	UserSessionVersion int64         `bun:"user_session_version"`
	ApproverStands     bool          `bun:"approver_stands"`
	ExternalAccountID  uuid.NullUUID `bun:"external_account_id,type:uuid"`
	FactorID           uuid.NullUUID `bun:"factor_id,type:uuid"`
	IsRuled            bool          `bun:"is_ruled"`
	MayUse             bool          `bun:"may_use"` // the app, now
}

// deviceByHash reads a request with the person who has approved it, as they are now, or returns storage.ErrNotFound.
func (s *Service) deviceByHash(ctx context.Context, hash []byte) (*deviceWithStanding, error) {
	found := new(deviceWithStanding)
	query := s.Database.Reader().NewSelect().Model(found).
		ColumnExpr("device_request.*").
		ColumnExpr(`COALESCE("user".is_active, FALSE) AS user_is_active`).
		ColumnExpr(`COALESCE("user".session_version, 0) AS user_session_version`).
		ColumnExpr(
			`COALESCE("session".ended_at IS NULL OR "session".end_reason IN (?), FALSE) AS approver_stands`,
			bun.List(leavesDevices),
		).
		ColumnExpr(`"session".external_account_id, "session".factor_id`).
		Join(`LEFT JOIN users AS "user" ON "user".id = device_request.user_id`).
		Join(`LEFT JOIN sessions AS "session" ON "session".id = device_request.approved_in`).
		Join("JOIN clients AS client ON client.id = device_request.client_id").
		Where("device_request.device_hash = ?", hash)
	query = access.Select(query, "device_request.user_id")
	if err := s.TwoFactors.Select(query, "device_request.user_id").Scan(ctx); err != nil {
		return nil, storage.NotFound(err)
	}
	return found, nil
}

// stands tells whether what was approved may be redeemed: who has approved it is still let in, and may use the app, and
// nobody has ended what they did.
func (d *deviceWithStanding) stands() bool {
	return d.UserIsActive && d.UserSessionVersion == d.SessionVersion && d.ApproverStands && d.MayUse &&
		(!d.IsRuled || identity.Assures(d.ACR, identity.ACRMultiFactor))
}

// newGrant is what the request is redeemed for. The session that it hangs on is the device's own, which newSession
// makes.
func (d *deviceWithStanding) newGrant(expires time.Time) *oidc.Grant {
	apis := d.APIs
	if apis == nil {
		apis = oidc.APIScopes{}
	}
	return &oidc.Grant{
		ID: storage.NewID(), UserID: d.UserID.UUID, ClientID: d.ClientID, SessionID: storage.NewID(),
		SessionVersion: d.SessionVersion, Scopes: append([]string{}, d.Scopes...), Claims: d.Claims, APIs: apis,
		AuthTime: *d.AuthTime, ACR: d.ClaimedACR, AMR: d.AMR, CreatedAt: *d.DecidedAt, ExpiresAt: expires,
	}
}

// newSession is the device's own session: it is listed and ended like that of a browser, whatever becomes of the
// browser in which it was approved. Nobody has its secret. It goes with the way in by which the person came.
func (d *deviceWithStanding) newSession(
	client *clients.Client, grant *oidc.Grant, ip string, now time.Time,
) *identity.Session {
	device := identity.Device{UserAgent: d.UserAgent}
	_, mobile := device.Describe()
	return &identity.Session{
		ID: grant.SessionID, UserID: grant.UserID, SecretHash: storage.Digest(storage.NewSecret()),
		SessionVersion: grant.SessionVersion, DeviceLabel: deviceLabel(client), IsMobile: mobile,
		UserAgent: d.UserAgent, IP: ip, LastSeenIP: ip, AMR: grant.AMR, ACR: d.ACR, AuthTime: grant.AuthTime,
		LastSeenAt: now, CreatedAt: now, ExpiresAt: grant.ExpiresAt,
		ExternalAccountID: d.ExternalAccountID, FactorID: d.FactorID, DeviceClientID: client.ID,
	}
}

// deviceLabel is what the owner reads in the list of their devices.
func deviceLabel(client *clients.Client) string { return "Device with " + client.Name }

// holdApprover are updates that find their rows only while who has approved a request may redeem it: whoever switches
// the account off, or ends everything, comes before or after. A lock by guessed passwords is none of theirs: who has
// approved has shown more than a password, or did before it.
func (d *deviceWithStanding) holdApprover(draft bun.IDB) []*bun.UpdateQuery {
	return []*bun.UpdateQuery{
		draft.NewUpdate().Model((*identity.User)(nil)).
			Set("session_version = session_version").
			Where("id = ? AND is_active AND session_version = ?", d.UserID, d.SessionVersion),
		draft.NewUpdate().Model((*identity.Session)(nil)).
			Set("ended_at = ended_at").
			Where("id = ?", d.ApprovedIn).
			Where("ended_at IS NULL OR end_reason IN (?)", bun.List(leavesDevices)),
	}
}

// use is the claim that redeems a request: of several at once, one makes it.
func (d *deviceWithStanding) use(draft bun.IDB, grantID uuid.UUID, now time.Time) *bun.UpdateQuery {
	return draft.NewUpdate().Model((*DeviceRequest)(nil)).
		Set("used_at = ?", now).
		Set("grant_id = ?", grantID).
		Where("device_hash = ? AND status = ? AND used_at IS NULL", d.DeviceHash, DeviceApproved)
}

// CancelDevices takes back what a person has approved for a client and the device has not fetched yet, as part of tx.
// It returns how many requests that were. What was fetched is a grant: the caller ends grants after this.
func CancelDevices(ctx context.Context, tx bun.Tx, userID uuid.UUID, clientID string) (int64, error) {
	result, err := cancel(tx, userID).Where("client_id = ?", clientID).Exec(ctx)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// SessionsEnding takes back all that a person has approved and no device has fetched yet, where their sessions end
// because somebody else may have had one: that has no session yet which could be ended. It is an
// identity.SessionListener's Ending. What is fetched meanwhile has a session by then, which ends with the others.
func SessionsEnding(ctx context.Context, tx bun.Tx, userID uuid.UUID, reason string) error {
	if slices.Contains(leavesDevices, reason) {
		return nil
	}
	_, err := cancel(tx, userID).Exec(ctx)
	return err
}

func cancel(tx bun.Tx, userID uuid.UUID) *bun.UpdateQuery {
	return tx.NewUpdate().Model((*DeviceRequest)(nil)).
		Set("status = ?", DeviceDenied).
		Where("user_id = ? AND status = ? AND used_at IS NULL", userID, DeviceApproved)
}
