package apps

import (
	"net/http"
	"time"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// keptFor are how long the secret before may be good besides a new one.
var keptFor = map[string]time.Duration{"none": 0, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}

// Rotate gives an app another secret, and shows it this once.
func (h App) Rotate(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.RotateSecrets); err != nil {
		return err
	}
	id := v.Form.Get("id")
	keep, known := keptFor[v.Form.Get("keep")]
	if !known {
		return frame.ErrForm
	}
	made, err := h.Apps.RotateSecret(v.Context(), by, id, keep)
	if said := failure(v, err); said != "" {
		return h.show(v, by, id, unprocessable, said, nil)
	} else if err != nil {
		return err
	}
	text := v.Language.Text("console.apps.rotated_text")
	if until := made.PreviousSecretUntil; until != nil {
		text = v.Language.Text("console.apps.rotated_kept", locales.Params{"Until": v.Language.Moment(*until)})
	}
	return v.Show(http.StatusOK, shell.Secret{
		Screen: h.Screen(v, by, shell.Apps), Title: v.Language.Text("console.apps.rotated"), Text: text,
		Label: v.Language.Text("console.apps.client_secret"), Secret: made.ClientSecret, Back: Address(id),
	})
}
