package signin

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/locales"
	"github.com/wicket-id/wicket/web/pages"
)

// Upstream sends people to providers and takes them back: to sign in, or to link an account there to the one that they
// have here.
type Upstream struct{ Linking }

// Page is where a link to a provider leads: to its button, for no other site may begin a sign-in for somebody.
func (h Upstream) Page(v *frame.Visit) error {
	p, err := h.provider(v)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, upstreamPage(v, p, v.Language.Text("signin.title"), frame.Then(v, "")))
}

// provider is the provider that the path names.
func (h Upstream) provider(v *frame.Visit) (*federation.Provider, error) {
	p, err := h.Upstreams.Provider(v.Context(), v.Gin.Param("provider"))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, frame.ErrNotFound
	}
	return p, err
}

// Begin sends a person to a provider to sign in there, for an app that waits or for themself.
func (h Upstream) Begin(v *frame.Visit) error {
	options := federation.RequestOptions{Again: v.Session != nil, Continue: v.Suspend(), Then: frame.Then(v, "")}
	if a := v.Authorization; a != nil {
		options.LoginHint, options.ACRValues = a.LoginHint, a.ACRValues
		options.Again = options.Again || a.Asks("login") || a.MaxAge != nil
		options.Select = a.Asks("select_account")
	}
	return h.send(v, v.Gin.Param("provider"), options)
}

// BeginLink sends a person to a provider to link an account there to theirs.
func (h Upstream) BeginLink(v *frame.Visit) error {
	return h.send(v, v.Form.Get("provider"), federation.RequestOptions{LinkTo: v.Session.UserID, Select: true})
}

// send sends a person to a provider, or says that it cannot be.
func (h Upstream) send(v *frame.Visit, provider string, options federation.RequestOptions) error {
	options.Browser, options.Source = v.Browser(), v.Device().Source()
	to, err := h.Upstreams.Begin(v.Context(), provider, options)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return frame.ErrNotFound
	case errors.Is(err, federation.ErrUnreachable), errors.Is(err, federation.ErrTooManyRequests):
		return showUpstreamFailure(h.Frame, v, provider, options.Then, err)
	case err != nil:
		return err
	}
	return v.Redirect(to)
}

// Return takes a person back who was sent to a provider: they are signed in, or link what they came with to the account
// that they are signed in to, or have to say whether they have an account here.
func (h Upstream) Return(v *frame.Visit) error {
	provider := v.Gin.Param("provider")
	answer, err := h.Upstreams.Return(v.Context(), provider, v.Form, v.Cookie(frame.BrowserCookie))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return frame.ErrNotFound
	case answer == nil:
		return err
	case answer.LinkTo != uuid.Nil:
		return h.finishLink(v, answer, err)
	}
	if answer.Continue != "" {
		if err := v.ReadAuthorization(answer.Continue); err != nil {
			return err
		}
	}
	if err != nil {
		return showUpstreamFailure(h.Frame, v, provider, answer.Then, err)
	}
	return h.signIn(v, answer)
}

// signIn signs in the owner of the account to which an account at a provider belongs.
func (h Upstream) signIn(v *frame.Visit, answer *federation.Answer) error {
	if err := frame.Session(v); err != nil {
		return err
	}
	admission, err := h.SignIns.External().SignIn(v.Context(), answer.External, v.Device(), v.Session)
	switch {
	case errors.Is(err, signin.ErrNotLinked):
		secret, err := h.Upstreams.SavePendingSignUp(v.Context(), answer, v.Cookie(frame.BrowserCookie))
		if err != nil {
			return err
		}
		v.SetCookie(frame.UpstreamSignUpCookie, secret)
		return v.Redirect("/arrival")
	case errors.Is(err, signin.ErrRefused):
		return showUpstreamFailure(h.Frame, v, answer.External.Provider, answer.Then, err)
	case err != nil:
		return err
	}
	v.SetCookie(frame.LastWayCookie, answer.External.Provider)
	return admitted(v, admission, frame.OwnPage(answer.Then))
}

// finishLink links an account at a provider to the account for which the person was sent there, if they are still
// signed in to it. fault is what went wrong at the provider.
func (h Upstream) finishLink(v *frame.Visit, answer *federation.Answer, fault error) error {
	if err := frame.Session(v); err != nil {
		return err
	}
	if v.Session == nil || v.Session.UserID != answer.LinkTo {
		return v.Redirect("/sign-in?again=1")
	}
	if denied := (*federation.Denied)(nil); errors.As(fault, &denied) {
		return h.ShowLinked(v, http.StatusOK, v.Language.Text("linked.denied"))
	}
	if fault != nil {
		h.Log.WarnContext(v.Context(), "a provider did not link an account", "request_id", v.RequestID(),
			"provider", v.Gin.Param("provider"), "error", fault.Error())
		return h.ShowLinked(v, http.StatusBadGateway, v.Language.Text("linked.failed"))
	}
	if err := v.Reauthenticate("/account/linked"); err != nil {
		return err
	}
	return h.link(v, answer.External, "")
}

// active returns the providers with which people may sign in.
func active(f *frame.Frame, v *frame.Visit) []federation.Provider {
	active, err := f.Upstreams.Active(v.Context())
	if err != nil {
		v.LogFault(err) // there are other ways to sign in
	}
	return slices.Clone(active)
}

// buttons are those of providers, for a page on which an app may wait; the page's forms may lead there. then is the
// page of ours to go on to where no app waits, or "".
func buttons(v *frame.Visit, providers []federation.Provider, then string) pages.Providers {
	_, sealed := v.App()
	offered := pages.Providers{Continue: sealed, Then: then}
	for i := range providers {
		offered.Buttons = append(offered.Buttons, frame.ProviderView(&providers[i]))
		v.LeadsTo(providers[i].Issuer)
	}
	return offered
}

// upstreamPage returns a page with one provider's button and another way.
func upstreamPage(v *frame.Visit, p *federation.Provider, title, then string) pages.Upstream {
	app, sealed := v.App()
	return pages.Upstream{
		App: app, Title: title, Providers: buttons(v, []federation.Provider{*p}, then),
		OtherURI: frame.WithParameters("/sign-in", url.Values{"continue": {sealed}, "then": {then}}),
	}
}

// showUpstreamFailure says that a provider did not sign somebody in, and how they go on. Why is for the log, but for
// what they did themself.
func showUpstreamFailure(f *frame.Frame, v *frame.Visit, provider, then string, err error) error {
	p, missing := f.Upstreams.Provider(v.Context(), provider)
	if missing != nil {
		return missing
	}
	title := v.Language.Text("upstream.failed", locales.Params{"Provider": p.Name})
	page, status, reason := upstreamPage(v, p, title, then), http.StatusBadGateway, "provider.refuses"
	page.Failed = true
	var denied *federation.Denied
	switch {
	case errors.As(err, &denied) && denied.Code == "access_denied":
		status, page.Title = http.StatusOK, v.Language.Text("upstream.denied")
		page.Text = v.Language.Text("upstream.denied_lead", locales.Params{"Provider": p.Name})
	case errors.As(err, &denied):
		page.Text = v.Language.Text("upstream.says", locales.Params{
			"Provider": p.Name, "Code": denied.Code, "Description": denied.Description,
		})
	case errors.Is(err, federation.ErrUnreachable):
		reason = "provider.unreachable"
		page.Text = v.Language.Text("upstream.unreachable", locales.Params{"Provider": p.Name})
	case errors.Is(err, federation.ErrInvalidResponse):
		status, reason = http.StatusBadRequest, "provider.response"
		page.Text = v.Language.Text("upstream.invalid", locales.Params{"Provider": p.Name})
	case errors.Is(err, federation.ErrTooManyRequests):
		status, reason, page.Text = http.StatusTooManyRequests, "", v.Language.Refusal(federation.ErrTooManyRequests)
	case errors.Is(err, signin.ErrRefused):
		status, reason, page.Title = http.StatusForbidden, "provider.person", v.Language.Text("upstream.refused")
		page.Text = v.Language.Text("upstream.refused_lead")
	default:
		return err
	}
	if status >= http.StatusBadRequest {
		page.Reference = frame.Reference(v)
		f.Log.WarnContext(v.Context(), "a provider did not sign a person in", "request_id", v.RequestID(),
			"provider", provider, "error", err.Error())
		if reason != "" {
			frame.NoteProviderRefusal(v, provider, reason, err.Error())
		}
	}
	return v.Show(status, page)
}
