package signin

import (
	"slices"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// otherWays are ways to sign in as a page shows them, those ticked that the person has ticked before.
func otherWays(f *frame.Frame, v *frame.Visit, ways []signin.OtherWay, ticked []uuid.UUID) ([]pages.OtherWay, error) {
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
		provider := way.Provider // of one that was switched off there is its id
		if name, ok := names[provider]; ok {
			provider = name
		}
		shown = append(shown, pages.OtherWay{
			ID: way.ID.String(), Provider: provider, Name: way.Name, Added: v.Language.Date(way.AddedAt),
			Ticked: slices.Contains(ticked, way.ID),
		})
	}
	return shown, nil
}

// formIDs reads the ids that boxes of a form hold which were ticked; what is none is left out, as what is gone.
func formIDs(v *frame.Visit, name string) []uuid.UUID {
	var ids []uuid.UUID
	for _, value := range v.Form[name] {
		if id, err := uuid.Parse(value); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
