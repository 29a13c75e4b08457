package account

import (
	"net/http"
	"time"

	"github.com/wicket-id/wicket/identity/transfer"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Privacy lets a person take along what is kept on them, or have it erased.
type Privacy struct{ *frame.Frame }

// Page offers both.
func (h Privacy) Page(v *frame.Visit) error {
	top, err := head(h.Frame, v, "/account/privacy")
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, pages.Privacy{Head: top, GraceDays: int(transfer.ErasureGrace.Hours() / 24)})
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
	name := "wicket-" + h.Now().Format(time.DateOnly) + ".json"
	v.Gin.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	v.Gin.IndentedJSON(http.StatusOK, export(kept, consents, grants, subjects))
	return nil
}

// Erase schedules that everything about the person is deleted.
func (h Privacy) Erase(v *frame.Visit) error {
	if v.Form.Get("sure") != "yes" {
		return v.Redirect("/account/privacy")
	}
	due, err := h.Transfer.RequestErasure(v.Context(), v.Owner)
	if err != nil {
		return err
	}
	v.ClearCookies()
	return v.Show(http.StatusOK, pages.Done{
		Title: v.Language.Text("privacy.deleted"),
		Text:  v.Language.Text("privacy.deleted_lead", locales.Params{"Date": v.Language.Date(due)}),
	})
}
