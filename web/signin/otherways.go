package signin

import (
	"slices"

	"github.com/wicket-id/wicket/identity/ownership"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// wayKinds are the words for the kinds of ways; that of a provider is its name.
var wayKinds = map[string]locales.Key{
	"passkey":              locales.Key("other_way.passkey"),
	"hardware_key":         locales.Key("other_way.hardware_key"),
	"totp":                 locales.Key("other_way.totp"),
	"backup_codes":         locales.Key("other_way.backup_codes"),
	ownership.WithPassword: locales.Key("other_way.password"),
	ownership.KnownDevices: locales.Key("other_way.known_devices"),
}

// otherWays are ways to sign in as a page shows them, those ticked that the person has ticked before.
func otherWays(f *frame.Frame, v *frame.Visit, ways []ownership.Way, ticked []string) ([]pages.OtherWay, error) {
	if len(ways) == 0 {
		return nil, nil
	}
	providers, err := f.Upstreams.Active(v.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[string]string)
	for _, provider := range providers {
		names[provider.ID] = provider.Name
	}
	var shown []pages.OtherWay
	for _, way := range ways {
		kind := way.Provider // of one that was switched off there is its id
		if name, ok := names[kind]; ok {
			kind = name
		}
		if key, ok := wayKinds[way.Kind]; ok {
			kind = v.Language.Text(key)
		}
		page := pages.OtherWay{Key: way.Key(), Kind: kind, Name: way.Name, Ticked: slices.Contains(ticked, way.Key())}
		if !way.AddedAt.IsZero() {
			page.Added = v.Language.Date(way.AddedAt)
		}
		shown = append(shown, page)
	}
	return shown, nil
}
