package frame

import (
	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/identity/picture"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/web/pages"
)

// AppView is an app as a page shows it.
func AppView(client *clients.Client) *pages.App {
	app := &pages.App{
		Name: client.Name, LogoURI: client.LogoURI, HomeURI: client.ClientURI,
		PolicyURI: client.PolicyURI, TermsURI: client.TOSURI,
	}
	if client.IsStranger() { // whoever registered it would learn who looks, and could show the sign of another app
		app.LogoURI = ""
	}
	return app
}

// ProviderView is a provider upstream as a page shows it.
func ProviderView(p *federation.Provider) pages.Provider {
	return pages.Provider{ID: p.ID, Kind: p.Kind, Name: p.Name}
}

// CeremonyView is a question for a key, as a page holds it.
func CeremonyView(ceremony *factor.Ceremony) *pages.Ceremony {
	return &pages.Ceremony{Options: string(ceremony.Options), State: ceremony.State}
}

// Person tells a page who is signed in.
func (v *Visit) Person() (pages.Person, error) {
	user := v.Session.User
	profile, err := v.frame.Identity.Profiles().Of(v.Context(), user.ID)
	if err != nil {
		return pages.Person{}, err
	}
	email, err := v.frame.Identity.Emails().Primary(v.Context(), user.ID)
	if err != nil {
		return pages.Person{}, err
	}
	person := pages.Person{
		Username: user.Username, Name: profile.Name, Picture: picture.PathOf(v.frame.Provider.Issuer, profile.Picture),
	}
	if email != nil {
		person.Email = email.Address
	}
	return person, nil
}
