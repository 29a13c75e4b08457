package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/pages"
)

// authorize is the authorization endpoint (RFC 6749, section 3.1). Every page of a sign-in comes back here, with the
// suspended request in the parameter interaction, and the next step is asked for again.
func (s *Server) authorize(c *gin.Context) error {
	form, err := query(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	var a *oidc.Authorization
	if sealed := form.Get("interaction"); sealed != "" {
		a, err = s.resume(c, sealed)
	} else {
		a, err = s.Provider.ReadAuthorization(ctx, form)
	}
	if err != nil {
		return err
	}
	var visitor oidc.Visitor
	if secret := s.secret(c); secret != "" {
		visitor, err = s.Provider.Visitor(ctx, secret, a.Client.ID)
		if err == nil {
			err = s.seen(c, visitor.Session)
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	decision := oidc.Next(a, visitor, s.Now())
	switch decision.Step {
	case oidc.SignIn:
		page := "/sign-in?continue=" + s.suspend(c, a)
		if visitor.Session != nil { // somebody else is meant
			page += "&switch=1"
		}
		return redirect(c, page)
	case oidc.SignInAgain:
		return redirect(c, "/sign-in?continue="+s.suspend(c, a))
	case oidc.SelectAccount:
		return redirect(c, "/select-account?continue="+s.suspend(c, a))
	case oidc.StepUp:
		s.setSecondStep(c, "") // this one is asked of the session
		return redirect(c, "/second-step?"+url.Values{"continue": {s.suspend(c, a)}, "class": {decision.ACR}}.Encode())
	case oidc.Enrol:
		return redirect(c, "/enrol?"+url.Values{"continue": {s.suspend(c, a)}, "class": {decision.ACR}}.Encode())
	case oidc.AskConsent:
		return redirect(c, "/consent?continue="+s.suspend(c, a))
	case oidc.Issue:
		response, err := s.Provider.Authorize(c.Request.Context(), a, visitor.Session, decision.Scopes)
		if err != nil {
			return err
		}
		return s.respond(c, response)
	default:
		return &oidc.Refusal{Reason: decision.Error, Authorization: a}
	}
}

// authorizePosted takes an authorization request that was posted (OpenID Connect Core, section 3.1.2.1) round to a GET:
// browsers keep the session cookie from a form of another site.
func (s *Server) authorizePosted(c *gin.Context) error {
	form, err := posted(c)
	if err != nil {
		return err
	}
	a, err := s.Provider.ReadAuthorization(c.Request.Context(), form)
	if err != nil {
		return err
	}
	// Not bound to the browser: its cookies have stayed behind.
	return redirect(c, oidc.PathAuthorize+"?interaction="+s.Provider.Suspend(a, ""))
}

// goOn sends the browser back to the authorization endpoint.
func (s *Server) goOn(c *gin.Context, a *oidc.Authorization) error {
	return redirect(c, oidc.PathAuthorize+"?interaction="+s.suspend(c, a))
}

// respond sends the answer to the app by way of the browser, in the response mode that it asked for.
func (s *Server) respond(c *gin.Context, response *oidc.Response) error {
	if response.Mode != "form_post" {
		return redirect(c, response.URL())
	}
	s.pageHeaders(c, response.RedirectURI)
	return s.show(c, http.StatusOK, pages.FormPost{Action: response.RedirectURI, Fields: fields(response.Parameters)})
}

func fields(parameters url.Values) []pages.Field {
	var fields []pages.Field
	for _, name := range []string{"code", "state", "iss", "error", "error_description"} {
		if parameters.Has(name) {
			fields = append(fields, pages.Field{Name: name, Value: parameters.Get(name)})
		}
	}
	return fields
}

// redirect is a redirect after which the browser forgets what it posted (RFC 9700, section 4.12).
func redirect(c *gin.Context, to string) error {
	c.Header("Location", to) // as it is: http.Redirect would rewrite custom schemes
	c.Status(http.StatusSeeOther)
	c.Writer.WriteHeaderNow()
	return nil
}

// waiting is the app that waits for the end of a sign-in, for the page.
func waiting(client *oidc.Client) pages.App {
	return pages.App{Name: client.Name, LogoURI: client.LogoURI, HomeURI: client.ClientURI, PolicyURI: client.PolicyURI, TermsURI: client.TOSURI}
}
