package authorize

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/usercode"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// Device is a device that waits for a person to decide.
type Device struct {
	Request *Request // what its app asks for, read anew: what was registered meanwhile counts
	Code    string   // as the device shows it
	AskedAt time.Time
	From    identity.Device // what has asked: the device itself, or a server of its app

	hash []byte
}

// How many codes may be tried in identity.FailureWindow that no device waits with: by one account, and by nobody who is
// signed in from one source, which has the allowance of an office.
const (
	maxWrongCodesByAccount = 20
	maxWrongCodesFrom      = 100
)

// Open finds the device that waits with a code, as usercode.Parse reads it, for the person who has typed it; uuid.Nil
// where nobody is signed in yet. It returns ErrUserCode, identity.ErrTooManyAttempts, or an *oidc.Error where what is
// asked for cannot be had any more.
func (d Devices) Open(ctx context.Context, code string, by uuid.UUID) (*Device, error) {
	counters := map[string]int64{}
	if by != uuid.Nil { // their neighbours in a network do not keep them from it
		counters["wrong user codes by "+by.String()] = maxWrongCodesByAccount
	} else {
		for i, network := range (identity.Device{IP: audit.ActorOf(ctx).IP}).Networks() {
			counters["wrong user codes from "+network] = maxWrongCodesFrom << i
		}
	}
	tooMany := false
	for counter, most := range counters { // before it is known: of many at once none is overlooked
		tooMany = d.Cache.Count(ctx, counter, identity.FailureWindow) > most || tooMany
	}
	if tooMany {
		return nil, identity.ErrTooManyAttempts
	}
	device, err := d.open(ctx, code, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("user_code IN (?)", bun.List(d.userCodeHashes(code)))
	})
	if !errors.Is(err, ErrUserCode) {
		for counter := range counters {
			d.Cache.Uncount(ctx, counter)
		}
	}
	return device, err
}

func (d Devices) open(
	ctx context.Context, code string, which func(*bun.SelectQuery) *bun.SelectQuery,
) (*Device, error) {
	found := new(grants.DeviceRequest)
	query := d.Database.Reader().NewSelect().Model(found).
		Where("status = ? AND expires_at > ?", grants.DevicePending, d.Now())
	if err := storage.NotFound(which(query).Scan(ctx)); errors.Is(err, storage.ErrNotFound) {
		return nil, ErrUserCode
	} else if err != nil {
		return nil, fmt.Errorf("device request: %w", err)
	}
	client, err := d.Clients.ByID(ctx, found.ClientID)
	if errors.Is(err, storage.ErrNotFound) || err == nil && !slices.Contains(client.GrantTypes, oidc.GrantDeviceCode) {
		return nil, ErrUserCode
	} else if err != nil {
		return nil, err
	}
	a := &Request{Client: client, BeganAt: found.CreatedAt, firstAt: found.CreatedAt, form: found.Form}
	if refused := d.check(ctx, a, atDevice); refused != nil {
		return nil, refused
	}
	return &Device{
		Request: a, Code: usercode.Shown(code), AskedAt: found.CreatedAt,
		From: identity.Device{IP: found.IP, UserAgent: found.UserAgent}, hash: found.DeviceHash,
	}, nil
}

// shownDevice is what a page was shown for, and to whom. It travels sealed in the page.
type shownDevice struct {
	Hash    []byte    `json:"h"`
	Code    string    `json:"c"`
	Session uuid.UUID `json:"s"`
}

const sealForDevices = "device request"

// SealPage seals which device a page was shown for, and to whom, for Answered.
func (d Devices) SealPage(device *Device, shownTo *identity.Session) string {
	code, _ := usercode.Parse(device.Code)
	encoded, err := json.Marshal(shownDevice{device.hash, code, shownTo.ID})
	if err != nil {
		panic(err) // it is text and bytes
	}
	return base64.RawURLEncoding.EncodeToString(d.Seal.Close(sealForDevices, encoded))
}

// Answered finds the device that a page was shown for, by what SealPage has sealed. It returns ErrInteraction where
// that was changed, and ErrUserCode where the device waits no more. Where the page was shown to another session than
// that of who answers, the device is nil, and code is the one to ask for anew.
func (d Devices) Answered(
	ctx context.Context, sealed string, by *identity.Session,
) (device *Device, code string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, "", ErrInteraction
	}
	encoded, err := d.Seal.Open(sealForDevices, raw)
	if err != nil {
		return nil, "", ErrInteraction
	}
	var shown shownDevice
	if err := json.Unmarshal(encoded, &shown); err != nil {
		return nil, "", ErrInteraction
	}
	if by == nil || shown.Session != by.ID {
		return nil, usercode.Shown(shown.Code), nil
	}
	device, err = d.open(ctx, shown.Code, func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("device_hash = ?", shown.Hash)
	})
	return device, usercode.Shown(shown.Code), err
}

// redeemableFor is how long a device has at the least to fetch what was approved for it.
const redeemableFor = time.Minute

// Approve gives a device what Next has decided, with the step Issue: it may redeem its code from now on. Its owner is
// told by mail. It returns ErrUserCode where the device waits no more, ErrOvertaken where the consent that allows it
// does not stand any more, or identity.ErrSessionEnded.
func (d Devices) Approve(
	ctx context.Context, by *identity.Reauthenticated, device *Device, decision Decision,
) error {
	now, session := d.Now(), by.Proven()
	least := now.Add(redeemableFor)
	decided := &grants.DeviceRequest{
		DeviceHash: device.hash, Status: grants.DeviceApproved, DecidedAt: &now,
		UserID:         uuid.NullUUID{UUID: session.UserID, Valid: true},
		ApprovedIn:     uuid.NullUUID{UUID: session.ID, Valid: true},
		SessionVersion: session.SessionVersion, Scopes: decision.Scopes, Claims: decision.Claims, APIs: decision.APIs,
		AMR: session.AMR, ACR: session.ACR, ClaimedACR: claimedACR(device.Request, session),
		AuthTime: &session.AuthTime,
	}
	values := identity.OriginOf(device.From)
	values["app"], values["time"] = device.Request.Client.Name, now.Format(time.RFC3339)
	err := d.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		if decision.By != nil {
			err := storage.OneRow(decision.By.hold(tx).Exec(ctx))
			if errors.Is(err, storage.ErrNotFound) {
				return ErrOvertaken
			} else if err != nil {
				return err
			}
		}
		update := tx.NewUpdate().Model(decided).
			Column(
				"status", "decided_at", "user_id", "approved_in", "session_version", "scopes", "claims", "apis", "amr", "acr",
				"claimed_acr", "auth_time",
			).
			Set("expires_at = CASE WHEN expires_at < ? THEN ? ELSE expires_at END", least, least)
		if err := decide(ctx, update, now); err != nil {
			return err
		}
		if err := record(ctx, tx, now, device, session, grants.DeviceApproved, decision); err != nil {
			return err
		}
		// Of no session: who says that it was not them ends everything, the device too, and the way in by which the
		// approver came is not to be taken from them for it.
		return d.Identity.TellOwner(
			ctx, tx, now, session.User, identity.MessageDeviceConnected, identity.ProofNotMe, identity.NotMeProofLifetime,
			nil, values,
		)
	})
	if err != nil {
		return fmt.Errorf("approve a device: %w", err)
	}
	return nil
}

// Deny tells a device no. It returns ErrUserCode where the device waits no more.
func (d Devices) Deny(ctx context.Context, by *identity.Session, device *Device) error {
	now := d.Now()
	decided := &grants.DeviceRequest{
		DeviceHash: device.hash, Status: grants.DeviceDenied, DecidedAt: &now,
		UserID: uuid.NullUUID{UUID: by.UserID, Valid: true},
	}
	err := d.Database.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := by.Stands(ctx, tx); err != nil {
			return err
		}
		update := tx.NewUpdate().Model(decided).Column("status", "decided_at", "user_id")
		if err := decide(ctx, update, now); err != nil {
			return err
		}
		return record(ctx, tx, now, device, by, grants.DeviceDenied, Decision{})
	})
	if err != nil {
		return fmt.Errorf("deny a device: %w", err)
	}
	return nil
}

// decide writes a decision about a device that still waits: of several, one is made. It returns ErrUserCode.
func decide(ctx context.Context, update *bun.UpdateQuery, now time.Time) error {
	err := storage.OneRow(
		update.WherePK().Where("status = ? AND expires_at > ?", grants.DevicePending, now).Exec(ctx),
	)
	if errors.Is(err, storage.ErrNotFound) {
		return ErrUserCode
	}
	return err
}

// record writes a decision into the audit trail.
func record(
	ctx context.Context, tx bun.Tx, now time.Time, device *Device, by *identity.Session, status string, decision Decision,
) error {
	request := &grants.DeviceRequest{DeviceHash: device.hash}
	values := audit.Values{"client_id": device.Request.Client.ID, "asked_from": device.From.IP}
	if status == grants.DeviceApproved {
		values["scopes"], values["apis"] = decision.Scopes, decision.APIs
	}
	return audit.Record(ctx, tx, now, audit.Change{
		Entity: "device_request", EntityID: request.Name(), Action: status, UserID: by.UserID, New: values,
	})
}
