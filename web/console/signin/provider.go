package signin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/providers"
	"github.com/wicket-id/wicket/web/console/shell"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Provider is the page of one provider, and the one on which another is added.
type Provider struct{ shell.Console }

type providerPage struct {
	shell.Screen
	New      bool
	Action   string // where the form is sent to
	Seen     string // the entity tag of the provider as the page shows it
	Provider providers.Provider
	Domains  string
	Emails   []trust
	Callback string // the redirect_uri of a new one, with its id to be filled in
}

// trust is how far a provider's addresses are trusted.
type trust struct {
	Value  string
	Label  locales.Key
	Chosen bool
}

// Template is that of the page.
func (providerPage) Template() (pages.Templates, string) { return templates, "provider.html" }

// New shows an empty form for a kind.
func (h Provider) New(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	kind := v.Form.Get("kind")
	if !slices.ContainsFunc(kinds, func(k providerKind) bool { return k.Name == kind }) {
		return frame.ErrNotFound
	}
	provider := providers.Provider{Settings: providers.Settings{Kind: kind, Active: true}}
	if kind != federation.KindOpenID {
		provider.ID = kind
	}
	return h.show(v, by, http.StatusOK, providerPage{New: true, Provider: provider}, "")
}

// Page shows a provider.
func (h Provider) Page(v *frame.Visit, by manage.Caller) error {
	provider, err := h.Console.Providers.Show(v.Context(), by, v.Gin.Param("provider"))
	if err != nil {
		return err
	}
	return h.show(v, by, http.StatusOK, providerPage{Provider: *provider, Seen: manage.ETag(provider)}, "")
}

func (h Provider) show(v *frame.Visit, by manage.Caller, status int, page providerPage, failure string) error {
	page.Screen = h.Screen(v, by, shell.SignIn)
	page.Failure = failure
	page.Action, page.Callback = shell.SignIn+"/"+page.Provider.ID+"/save", page.Provider.RedirectURI
	if page.New {
		page.Action = shell.SignIn + "/add"
		page.Callback = h.Upstreams.Callback(page.Provider.ID)
		if page.Provider.ID == "" {
			page.Callback = h.Upstreams.Callback("ID")
		}
	}
	page.Domains = strings.Join(page.Provider.Domains, ", ")
	for _, t := range []trust{
		{Value: federation.EmailsUnproved, Label: locales.Key("console.providers.unproved")},
		{Value: federation.EmailsProved, Label: locales.Key("console.providers.proved")},
		{Value: federation.EmailsAuthoritative, Label: locales.Key("console.providers.authoritative")},
	} {
		t.Chosen = t.Value == page.Provider.Emails
		page.Emails = append(page.Emails, t)
	}
	return v.Show(status, page)
}

// read is the provider that a form describes: what the form has no field for stays as it was.
func read(v *frame.Visit, before providers.Settings) providers.NewSettings {
	settings := providers.NewSettings{Settings: before, ClientSecret: v.Form.Get("client_secret")}
	settings.Name, settings.Issuer, settings.ClientID = v.Form.Get("name"), v.Form.Get("issuer"), v.Form.Get("client_id")
	settings.Tenant, settings.Emails = v.Form.Get("tenant"), v.Form.Get("emails")
	settings.Active, settings.Registration = v.Form.Get("active") == "yes", v.Form.Get("registration") == "yes"
	settings.Domains = strings.FieldsFunc(v.Form.Get("domains"), func(r rune) bool { return r == ',' || r == ' ' })
	return settings
}

// Add adds a provider.
func (h Provider) Add(v *frame.Visit, by manage.Caller) error {
	settings := read(v, providers.Settings{Kind: v.Form.Get("kind")})
	added, err := h.Console.Providers.Put(v.Context(), by, v.Form.Get("provider"), settings, "", true)
	if failure := told(v, err); failure != "" {
		page := providerPage{New: true, Provider: providers.Provider{ID: v.Form.Get("provider"), Settings: settings.Settings}}
		return h.show(v, by, unprocessable, page, failure)
	} else if err != nil {
		return err
	}
	return shell.Done(v, shell.SignIn+"/"+added.ID, "provider-added")
}

// Save changes a provider, where it is as the page has shown it.
func (h Provider) Save(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	before, err := h.Console.Providers.Show(v.Context(), by, v.Gin.Param("provider"))
	if err != nil {
		return err
	}
	settings := read(v, before.Settings)
	_, err = h.Console.Providers.Put(v.Context(), by, before.ID, settings, v.Form.Get("seen"), false)
	if failure := told(v, err); failure != "" {
		page := providerPage{Provider: *before, Seen: v.Form.Get("seen")}
		page.Provider.Settings = settings.Settings
		return h.show(v, by, unprocessable, page, failure)
	} else if err != nil {
		return err
	}
	return shell.Done(v, shell.SignIn+"/"+before.ID, "saved")
}

// told is what a person is told of an error that is theirs to mend; "" of any other.
func told(v *frame.Visit, err error) string {
	if invalid := new(federation.InvalidProviderError); errors.As(err, &invalid) {
		return v.Language.Text("console.providers.invalid", locales.Params{"Fault": invalid.Error()})
	}
	return v.Language.Refusal(err)
}

// ConfirmRemoval asks before a provider is removed.
func (h Provider) ConfirmRemoval(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	provider, err := h.Console.Providers.Show(v.Context(), by, v.Gin.Param("provider"))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, h.askRemoval(v, by, provider))
}

func (h Provider) askRemoval(v *frame.Visit, by manage.Caller, provider *providers.Provider) shell.Confirm {
	return shell.Confirm{
		Screen: h.Screen(v, by, shell.SignIn),
		Title:  v.Language.Text("console.providers.remove_of", locales.Params{"Name": provider.Name}),
		Text:   v.Language.Text("console.providers.remove_text"), Typed: provider.ID,
		Action: shell.SignIn + "/" + provider.ID + "/remove", Button: v.Language.Text("console.providers.remove"),
		Back: shell.SignIn + "/" + provider.ID,
	}
}

// Remove removes a provider, whose id was typed.
func (h Provider) Remove(v *frame.Visit, by manage.Caller) error {
	if err := by.Demand(manage.WriteProviders); err != nil {
		return err
	}
	provider, err := h.Console.Providers.Show(v.Context(), by, v.Gin.Param("provider"))
	if err != nil {
		return err
	}
	if v.Form.Get("typed") != provider.ID {
		page := h.askRemoval(v, by, provider)
		page.Failure = v.Language.Text("console.typed_wrong")
		return v.Show(unprocessable, page)
	}
	if err := h.Console.Providers.Remove(v.Context(), by, provider.ID); err != nil {
		return err
	}
	return shell.Done(v, shell.SignIn, "provider-removed")
}
