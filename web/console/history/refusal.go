package history

import (
	"net/url"
	"time"

	"github.com/wicket-id/wicket/manage/refusals"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
)

// Refusal is something that was refused, as a list shows it.
type Refusal struct {
	URI    string
	What   string // in a few words
	Detail string
	When
}

// RefusalsPath is the page of what was refused.
const RefusalsPath = "/console/refusals"

// Refusals are shown with the names of the apps, by their ids, where they are known.
func Refusals(v *frame.Visit, now time.Time, found []refusals.Refusal, apps map[string]string) []Refusal {
	list := make([]Refusal, len(found))
	for i, r := range found {
		app := apps[r.ClientID]
		if app == "" {
			app = r.ClientID
		}
		list[i] = Refusal{
			URI:    RefusalsPath + "/" + url.PathEscape(r.Reference),
			What:   r.Description,
			Detail: r.Reference + " · " + Place(v, r.Where),
			When:   NewWhen(v, now, r.At),
		}
		if r.Description == "" {
			list[i].What = r.Error
		}
		if app != "" {
			list[i].Detail = app + " · " + list[i].Detail
		}
	}
	return list
}

// Place says in words where something was refused.
func Place(v *frame.Visit, place string) string {
	if key, ok := PlaceWords[place]; ok {
		return v.Language.Text(key)
	}
	return place
}

// PlaceWords are the words for where something is refused.
var PlaceWords = map[string]locales.Key{
	refusals.AtAuthorize:     locales.Key("console.refusals.at_authorize"),
	refusals.AtPAR:           locales.Key("console.refusals.at_par"),
	refusals.AtToken:         locales.Key("console.refusals.at_token"),
	refusals.AtIntrospection: locales.Key("console.refusals.at_introspection"),
	refusals.AtRevocation:    locales.Key("console.refusals.at_revocation"),
	refusals.AtDevice:        locales.Key("console.refusals.at_device"),
	refusals.AtRegistration:  locales.Key("console.refusals.at_registration"),
	refusals.AtFederation:    locales.Key("console.refusals.at_federation"),
	refusals.AtAccess:        locales.Key("console.refusals.at_access"),
	refusals.AtLogout:        locales.Key("console.refusals.at_logout"),
}
