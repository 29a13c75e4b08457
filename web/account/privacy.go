package account

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/wicket-id/wicket/identity/administrators"
	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Privacy lets a person take along what is kept on them, or have it erased.
type Privacy struct{ *frame.Frame }

// Page offers both.
func (h Privacy) Page(v *frame.Visit) error { return h.show(v, http.StatusOK, "") }

func (h Privacy) show(v *frame.Visit, status int, failure string) error {
	top, err := head(h.Frame, v, "/account/privacy")
	if err != nil {
		return err
	}
	return v.Show(status, pages.Privacy{
		Head: top, GraceDays: int(transfer.ErasureGrace.Hours() / 24), Failure: failure,
	})
}

// Download answers with all that is kept on the person, as one JSON file.
func (h Privacy) Download(v *frame.Visit) error {
	kept, err := h.Transfer.Export(v.Context(), v.Owner)
	if err != nil {
		return err
	}
	consents, err := h.Authorize.Consents(v.Context(), v.Session.UserID, transfer.ExportedLines)
	if err != nil {
		return err
	}
	grants, err := h.Provider.GrantsInUse(v.Context(), v.Session.UserID, "", transfer.ExportedLines)
	if err != nil {
		return err
	}
	subjects, err := h.Tokens.PairwiseSubjects(v.Context(), v.Session.UserID)
	if err != nil {
		return err
	}
	refused, err := h.Refusals.Of(v.Context(), v.Session.UserID, transfer.ExportedLines)
	if err != nil {
		return err
	}
	name := "wicket-" + h.Now().Format(time.DateOnly) + ".json"
	v.Gin.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	v.Gin.IndentedJSON(http.StatusOK, export(kept, consents, grants, subjects, refused))
	return nil
}

// Erase schedules that everything about the person is deleted. The last owner of this server stays.
func (h Privacy) Erase(v *frame.Visit) error {
	if v.Form.Get("sure") != "yes" {
		return v.Redirect("/account/privacy")
	}
	due, err := h.Transfer.RequestErasure(v.Context(), v.Owner, func(ctx context.Context, tx bun.Tx) error {
		return h.Administrators.AnotherOwner(ctx, tx, administrators.Person(v.Session.UserID))
	})
	if errors.Is(err, administrators.ErrLastOwner) {
		return h.show(v, http.StatusConflict, v.Language.Refusal(administrators.ErrLastOwner))
	} else if err != nil {
		return err
	}
	v.ClearCookies()
	return v.Show(http.StatusOK, pages.Done{
		Title: v.Language.Text("privacy.deleted"),
		Text:  v.Language.Text("privacy.deleted_lead", locales.Params{"Date": v.Language.Date(due)}),

		NextURI: "/", NextLabel: v.Language.Text("page.home"),
	})
}
