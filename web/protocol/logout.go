package protocol

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc/logout"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/pages"
)

// Logout is the end session endpoint: OpenID Connect RP-Initiated Logout, section 2.
type Logout struct{ *frame.Frame }

// Begin takes a request. An app that holds an ID token of this very session signs the person out; in every other case
// they are asked.
func (e Logout) Begin(v *frame.Visit) error {
	request, err := e.read(v, v.Form)
	if err != nil {
		return err
	}
	if err := frame.Session(v); err != nil {
		return err
	}
	// A form of another site comes without our cookie; the session that the ID token names can be ended all the same, and
	// if it has ended already, the app is owed its answer.
	if request.SessionID != uuid.Nil && (v.Session == nil || request.Names(v.Session.ID)) {
		if err := e.endNamed(v, request); err != nil {
			return err
		}
		ended := uuid.Nil
		if v.Session != nil { // nobody else is told which apps the session was signed in to
			ended = request.SessionID
		}
		return frame.SignedOut(v, ended, request.ReturnURL(), signedOut(v, request))
	}
	if v.Session == nil { // there is nothing to end, and no proof that the app asks: the way back is a link
		v.ClearCookies()
		return v.Show(http.StatusOK, signedOut(v, request))
	}
	person, err := v.Person()
	if err != nil {
		return err
	}
	v.LeadsTo(request.ReturnURL())
	return v.Show(http.StatusOK, pages.SignOut{App: app(request), Person: person, Continue: request.Parameters()})
}

// endNamed ends the session that a request names.
func (e Logout) endNamed(v *frame.Visit, request *logout.Request) error {
	if v.Session != nil {
		return e.Logout.End(v.Context(), v.Session.UserID, request.SessionID, identity.EndedByClient)
	}
	owner, err := e.Logout.Owner(v.Context(), request.SessionID)
	if err != nil {
		return err
	}
	return e.Logout.End(v.Context(), owner, request.SessionID, identity.EndedByClient)
}

// Confirm ends the session of a person who was asked.
func (e Logout) Confirm(v *frame.Visit) error {
	parameters, err := url.ParseQuery(v.Form.Get("continue"))
	if err != nil {
		return frame.ErrForm
	}
	request, err := e.read(v, parameters)
	if err != nil {
		return err
	}
	if err := frame.Session(v); err != nil {
		return err
	}
	ended := uuid.Nil
	if v.Session != nil {
		ended = v.Session.ID
		if err := e.Logout.End(v.Context(), v.Session.UserID, ended, identity.EndedBySignOut); err != nil {
			return err
		}
	}
	return frame.SignedOut(v, ended, request.ReturnURL(), signedOut(v, request))
}

// read reads a request, and logs why the browser will not go back to where it asks.
func (e Logout) read(v *frame.Visit, form url.Values) (*logout.Request, error) {
	request, err := e.Logout.Read(v.Context(), form)
	if err != nil {
		return nil, err
	}
	v.Client = request.Client
	if request.Refused != nil {
		frame.NoteRefusal(v, request.Refused)
	}
	return request, nil
}

// signedOut is the page for a request that leads nowhere by itself. The way back to the app is where the app asked for,
// or else its home page.
func signedOut(v *frame.Visit, request *logout.Request) pages.SignedOut {
	page := pages.SignedOut{App: app(request), ReturnURI: request.ReturnURL(), Refused: request.Refused != nil}
	if page.Refused {
		page.Reference = frame.Reference(v)
	}
	if page.ReturnURI == "" && request.Client != nil {
		page.ReturnURI = request.Client.ClientURI
	}
	return page
}

// app is the app that asks for a logout, for a page; nil where the request names none.
func app(request *logout.Request) *pages.App {
	if request.Client == nil {
		return nil
	}
	return frame.AppView(request.Client)
}
