package account

import (
	"errors"
	"net/http"
	"slices"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Linked is the page of the accounts at providers that a person signs in with.
type Linked struct{ *frame.Frame }

// Page shows them.
func (h Linked) Page(v *frame.Visit) error { return h.Show(v, http.StatusOK, "") }

// Show shows them, with what went wrong.
func (h Linked) Show(v *frame.Visit, status int, failure string) error {
	top, err := head(h.Frame, v, "/account/linked")
	if err != nil {
		return err
	}
	accounts, err := h.Identity.ExternalAccounts().List(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	providers, err := h.Upstreams.Active(v.Context())
	if err != nil {
		return err
	}
	page := pages.Linked{Head: top, Failure: failure, Notice: notice(h.Frame, v)}
	active := make(map[string]pages.Provider)
	for i := range providers {
		provider := frame.ProviderView(&providers[i])
		active[provider.ID] = provider
		if slices.ContainsFunc(accounts, func(a identity.ExternalAccount) bool { return a.Provider == provider.ID }) {
			page.Again = append(page.Again, provider)
		} else {
			page.Providers = append(page.Providers, provider)
		}
		v.LeadsTo(providers[i].Issuer)
	}
	for _, account := range accounts {
		provider, on := active[account.Provider]
		if !on {
			provider = pages.Provider{ID: account.Provider, Name: account.Provider}
		}
		page.Accounts = append(page.Accounts, pages.LinkedAccount{
			ID: account.ID.String(), Provider: provider, Off: !on, Label: account.Label,
			Linked: frame.Ago(v, h.Now(), account.CreatedAt), Used: frame.Ago(v, h.Now(), account.LastUsedAt),
		})
	}
	return v.Show(status, page)
}

// Remove takes a way in away, never the last one.
func (h Linked) Remove(v *frame.Visit) error {
	providers, err := h.Upstreams.Active(v.Context())
	if err != nil {
		return err
	}
	var usable []string
	for _, p := range providers {
		usable = append(usable, p.ID)
	}
	err = h.Identity.ExternalAccounts().Unlink(v.Context(), v.Owner, formID(v), usable)
	if errors.Is(err, identity.ErrLastWayIn) {
		return h.Show(v, http.StatusConflict, v.Language.Refusal(err))
	}
	if errors.Is(err, storage.ErrNotFound) { // another tab was faster, or it never was theirs
		return v.Redirect("/account/linked?done=gone")
	} else if err != nil {
		return err
	}
	return v.Redirect("/account/linked?done=unlinked")
}
