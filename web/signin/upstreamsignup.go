package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/federation"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/signin"
	"github.com/wicket-id/wicket/oidc/authorize"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// UpstreamSignUp is for people who come from a provider with an account that belongs to no account here yet: they make
// one, or sign in to the one that they have and link the two. Until then a cookie holds the secret by which the account
// at the provider is found again.
type UpstreamSignUp struct{ Linking }

// pending is the account at a provider with which the browser came.
type pending struct {
	*federation.PendingSignUp

	authorization *authorize.Request // with which the person came; nil where no app waits
	provider      *federation.Provider
}

// Page asks whether they have an account.
func (h UpstreamSignUp) Page(v *frame.Visit) error {
	waiting, err := h.open(v)
	if err != nil {
		return err
	}
	username, err := h.Identity.Users().Free(v.Context(), waiting.External.Username)
	if err != nil {
		return err
	}
	return h.show(v, http.StatusOK, waiting, pages.UpstreamSignUp{Username: username})
}

// open reads what waits in this browser, and goes on with the authorization request with which the person came. It
// returns federation.ErrRequest where nothing waits, and authorize.ErrInteraction where it has waited for too long.
func (h UpstreamSignUp) open(v *frame.Visit) (*pending, error) {
	waiting, err := h.read(v)
	if err == nil {
		v.Authorization = waiting.authorization
	}
	return waiting, err
}

// read reads what waits in this browser; likewise.
func (h UpstreamSignUp) read(v *frame.Visit) (*pending, error) {
	browser := v.Cookie(frame.BrowserCookie)
	signUp, err := h.Upstreams.PendingSignUp(v.Context(), v.Cookie(frame.UpstreamSignUpCookie), browser)
	if err != nil {
		return nil, err
	}
	waiting := &pending{PendingSignUp: signUp}
	if signUp.Continue != "" {
		if waiting.authorization, err = h.Authorize.Resume(v.Context(), signUp.Continue, browser); err != nil {
			return nil, err
		}
	}
	waiting.provider, err = h.Upstreams.Provider(v.Context(), signUp.External.Provider)
	return waiting, err
}

func (h UpstreamSignUp) show(v *frame.Visit, status int, waiting *pending, page pages.UpstreamSignUp) (err error) {
	page.App, _ = v.App()
	if page.HasAccount, err = h.SignIns.External().HasAccount(v.Context(), waiting.External); err != nil {
		return err
	}
	page.Provider = frame.ProviderView(waiting.provider)
	page.Account, page.MayRegister = waiting.External.Label, waiting.External.MayRegister
	return v.Show(status, page)
}

// Register makes an account for them.
func (h UpstreamSignUp) Register(v *frame.Visit) error {
	waiting, err := h.open(v)
	if err != nil {
		return err
	}
	page := pages.UpstreamSignUp{Username: v.Form.Get("username")}
	admission, err := h.SignIns.External().SignUp(v.Context(), waiting.External, page.Username, v.Device(), v.Session)
	var faults refusal.FieldFaults
	switch {
	case errors.As(err, &faults):
		page.Wrong = v.Language.Refusal(faults["username"])
		return h.show(v, http.StatusUnprocessableEntity, waiting, page)
	case errors.Is(err, signin.ErrHasAccount), errors.Is(err, signin.ErrMayNotRegister):
		page.Failure = v.Language.Refusal(err)
		return h.show(v, http.StatusConflict, waiting, page)
	case errors.Is(err, signin.ErrTooManySignUps), errors.Is(err, identity.ErrTooManySendings):
		page.Failure = v.Language.Refusal(err)
		return h.show(v, http.StatusTooManyRequests, waiting, page)
	case errors.Is(err, signin.ErrRefused):
		return showUpstreamFailure(h.Frame, v, waiting.provider.ID, waiting.Then, err)
	case err != nil:
		return err
	}
	if err := h.end(v, waiting); err != nil {
		return err
	}
	return admitted(v, admission, frame.OwnPage(waiting.Then))
}

// end ends the waiting.
func (h UpstreamSignUp) end(v *frame.Visit, waiting *pending) error {
	v.ClearCookie(frame.UpstreamSignUpCookie)
	return h.Upstreams.EndPendingSignUp(v.Context(), waiting.PendingSignUp)
}

// SignIn lets them sign in to the account that they have; admitted asks for the link then.
func (h UpstreamSignUp) SignIn(v *frame.Visit) error {
	waiting, err := h.open(v)
	if err != nil {
		return err
	}
	return v.RedirectWith("/sign-in", url.Values{"again": {"1"}, "continue": {v.Suspend()}, "then": {waiting.Then}})
}

// LinkPage asks a person who has just signed in whether to link the two.
func (h UpstreamSignUp) LinkPage(v *frame.Visit) error {
	waiting, err := h.read(v)
	// there is nothing to ask any more
	if errors.Is(err, federation.ErrRequest) || errors.Is(err, authorize.ErrInteraction) {
		v.ClearCookie(frame.UpstreamSignUpCookie)
		return v.Proceed("/account")
	} else if err != nil {
		return err
	}
	if err := frame.Fresh("/arrival/link")(v); err != nil {
		return err
	}
	person, err := v.Person()
	if err != nil {
		return err
	}
	page := pages.LinkUpstream{
		Person: person, Provider: frame.ProviderView(waiting.provider), Account: waiting.External.Label,
	}
	_, page.Continue = v.App()
	return v.Show(http.StatusOK, page)
}

// Link links the two, or lets them be two.
func (h UpstreamSignUp) Link(v *frame.Visit) error {
	waiting, err := h.read(v)
	if err != nil {
		return err
	}
	if err := h.end(v, waiting); err != nil {
		return err
	}
	if v.Form.Get("choice") != "link" {
		return v.Proceed(frame.OwnPage(waiting.Then))
	}
	return h.link(v, waiting.External, waiting.Then)
}
