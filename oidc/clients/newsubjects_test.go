package clients_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/identitytest"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/oidc/grants"
	"github.com/wicket-id/wicket/oidc/oidctest"
)

// An app that says itself what it is does not learn by what it was granted before whom it would know people as by other
// metadata: with a change of its sector all of that ends. One of an operator's keeps it, and so does every app whose
// sector stays.
func TestANewSectorEndsWhatWasGranted(t *testing.T) {
	t.Parallel()
	pairwise := func(c *clients.Client, redirect string) {
		c.SubjectType, c.RedirectURIs = clients.SubjectPairwise, []string{redirect}
	}
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		user, err := h.Identity.Users().Create(t.Context(), identity.NewUser{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		session := identitytest.NewSession(t, h.Identity, user)
		for name, c := range map[string]struct {
			origin string
			change func(*clients.Client)
			ends   bool
		}{
			"another host":            {clients.OriginOpen, func(c *clients.Client) { pairwise(c, "https://b.example/cb") }, true},
			"public":                  {clients.OriginOpen, func(c *clients.Client) { c.SubjectType = clients.SubjectPublic }, true},
			"another host, by token":  {clients.OriginToken, func(c *clients.Client) { pairwise(c, "https://b.example/cb") }, true},
			"another host, document":  {clients.OriginDocument, func(c *clients.Client) { pairwise(c, "https://b.example/cb") }, true},
			"public, document":        {clients.OriginDocument, func(c *clients.Client) { c.SubjectType = clients.SubjectPublic }, true},
			"the same host":           {clients.OriginOpen, func(c *clients.Client) { pairwise(c, "https://a.example/2") }, false},
			"the same host, document": {clients.OriginDocument, func(c *clients.Client) { pairwise(c, "https://a.example/2") }, false},
			"another name":            {clients.OriginOpen, func(c *clients.Client) { c.Name = "Another" }, false},
			"of an operator":          {clients.OriginOperator, func(c *clients.Client) { pairwise(c, "https://b.example/cb") }, false},
		} {
			before := &clients.Client{ID: "app-" + uuid.NewString(), Name: "App", Origin: c.origin, AuthMethod: clients.AuthNone}
			pairwise(before, "https://a.example/cb")
			if err := before.Complete(); err != nil {
				t.Fatal(err)
			}
			granted := func(clientID string) (grantID uuid.UUID, device []byte) {
				grant := &oidc.Grant{
					ID: uuid.Must(uuid.NewV7()), UserID: user.ID, ClientID: clientID, SessionID: session.ID, Scopes: []string{"openid"},
					AuthTime: h.Clock, AMR: []string{"pwd"}, CreatedAt: h.Clock, ExpiresAt: h.Clock.Add(time.Hour),
				}
				request := &grants.DeviceRequest{
					DeviceHash: []byte(uuid.NewString()), UserCode: []byte(uuid.NewString()), ClientID: clientID,
					CreatedAt: h.Clock, ExpiresAt: h.Clock.Add(time.Hour), Status: grants.DeviceApproved,
					UserID: uuid.NullUUID{UUID: user.ID, Valid: true},
				}
				inTx(t, h, func(ctx context.Context, tx bun.Tx) error {
					if _, err := tx.NewInsert().Model(request).Exec(ctx); err != nil {
						return err
					}
					_, err := tx.NewInsert().Model(grant).Exec(ctx)
					return err
				})
				return grant.ID, request.DeviceHash
			}
			other := &clients.Client{
				ID: "other-" + uuid.NewString(), Name: "Other", RedirectURIs: []string{"https://a.example/"},
			}
			h.Add(t, other)
			inTx(t, h, func(ctx context.Context, tx bun.Tx) error { return clients.Insert(ctx, tx, h.Clock, before) })
			if before, err = h.Clients.Fresh(t.Context(), before.ID); err != nil {
				t.Fatal(err)
			}
			grantID, device := granted(before.ID)
			others, _ := granted(other.ID)
			h.Pass(time.Second)
			after := *before
			c.change(&after)
			if err := after.Complete(); err != nil {
				t.Fatal(err)
			}
			if c.origin == clients.OriginDocument {
				err = h.Clients.Adopt(t.Context(), &after, nil)
			} else {
				err = h.Clients.Replace(t.Context(), before, &after)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			reason, status := endOf(t, h, grantID), ""
			if err := h.Database.Reader().NewSelect().Model((*grants.DeviceRequest)(nil)).Column("status").
				Where("device_hash = ?", device).Scan(t.Context(), &status); err != nil {
				t.Fatal(err)
			}
			now, err := h.Clients.Fresh(t.Context(), before.ID)
			if err != nil {
				t.Fatal(err)
			}
			want, wantStatus := "", grants.DeviceApproved
			if c.ends {
				want, wantStatus = oidc.EndedByNewSector, grants.DeviceDenied
				if now.ConsentsFrom == nil || !now.ConsentsFrom.Equal(h.Clock) {
					t.Errorf("%s: consents count from %v", name, now.ConsentsFrom)
				}
			}
			if reason != want || status != wantStatus {
				t.Errorf("%s: the grant ended by %q, want %q; the device is %s, want %s", name, reason, want, status, wantStatus)
			}
			if reason := endOf(t, h, others); reason != "" {
				t.Errorf("%s: the grant of another app ended by %q", name, reason)
			}
		}
	})
}

func inTx(t *testing.T, h *oidctest.Stack, do func(ctx context.Context, tx bun.Tx) error) {
	t.Helper()
	if err := h.Database.Write(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

// endOf is why a grant has ended, or empty.
func endOf(t *testing.T, h *oidctest.Stack, id uuid.UUID) string {
	t.Helper()
	grant := new(oidc.Grant)
	if err := h.Database.Reader().NewSelect().Model(grant).Where("id = ?", id).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	return grant.EndReason
}
