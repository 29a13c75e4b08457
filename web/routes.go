package web

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/web/account"
	"github.com/wicket-id/wicket/web/assets"
	"github.com/wicket-id/wicket/web/console"
	"github.com/wicket-id/wicket/web/frame"
	"github.com/wicket-id/wicket/web/protocol"
	"github.com/wicket-id/wicket/web/signin"
)

// What routes demand before their handler begins. They are met in the order in which a route lists them.
var (
	form      frame.Demand = frame.Form      // the parameters can be read
	text      frame.Demand = frame.Text      // and are text
	resume    frame.Demand = frame.Continue  // the app's request with which the page was shown, if any, is taken up
	session   frame.Demand = frame.Session   // it is known who is signed in, if anybody is
	inSession frame.Demand = frame.InSession // somebody is signed in
	signedIn  frame.Demand = frame.SignedIn  // and as the operator demands it of them
	asked     frame.Demand = frame.Asked     // somebody is signed in, and is the one to whom the page was shown

	fresh   = frame.Fresh        // somebody is signed in, and has proved lately and well enough who they are
	toEnrol = frame.FreshToEnrol // the same, but for the factor that they are about to register
)

// routes is the table of everything that is served, with what each route demands. Page takes what changes something
// from our own pages alone; CrossSitePage is for people whom apps and providers send here; App answers in JSON. All
// three count the request for its network.
func routes(r *gin.Engine, f *frame.Frame, config Config) {
	r.NoRoute(f.Page(frame.NotFound))
	r.NoMethod(f.Page(frame.MethodNotAllowed))

	linked := account.Linked{Frame: f}
	signInRoutes(r, f, config, linked)
	questionRoutes(r, f)
	accountRoutes(r, f, linked)
	protocolRoutes(r, f)
	console.Routes(r, f, config.Management)
	if len(config.SecurityContacts) > 0 {
		found := protocol.SecurityTXT{Frame: f, Contacts: config.SecurityContacts, Languages: config.SecurityLanguages}
		r.GET(protocol.PathSecurityTXT, found.Serve)
	}
	if config.Outbox != nil {
		r.GET("/dev/outbox", f.Page(outbox{config.Outbox}.page))
	}
	health := health{
		database: config.Database, writes: storage.NewWriteProbe(config.Database), draining: config.Draining,
		operator: operator{config.Identity.Seal, config.Provider.Issuer, config.Now}, log: config.Log,
	}
	r.GET("/healthz", health.live)
	r.GET("/readyz", health.ready)
	headRoutes(r)
}

// headRoutes lets every address that answers GET answer HEAD too: RFC 9110, section 9.3.2. The body is left out by
// net/http.
func headRoutes(r *gin.Engine) {
	routes := r.Routes()
	for _, route := range routes {
		answered := slices.ContainsFunc(routes, func(other gin.RouteInfo) bool {
			return other.Method == http.MethodHead && other.Path == route.Path
		})
		if route.Method == http.MethodGet && !answered {
			r.HEAD(route.Path, route.HandlerFunc)
		}
	}
}

// signInRoutes are what a person sees on the way in.
func signInRoutes(r *gin.Engine, f *frame.Frame, config Config, linked account.Linked) {
	in := signin.SignIn{Frame: f, SignUp: config.Registration}
	r.GET("/", f.Page(in.Welcome, session))
	r.GET("/sign-in", f.Page(in.Page, form, resume, session))
	r.POST("/sign-in", f.Page(in.Password, form, text, resume, session))
	r.POST("/sign-in/passkey", f.Page(in.Passkey, form, text, resume, session))

	kept := signin.Kept{Frame: f}
	r.GET("/account/kept", f.Page(kept.Page, form, resume, inSession))
	r.POST("/account/kept", f.Page(kept.Keep, form, resume, inSession))

	step := signin.SecondStep{Frame: f}
	r.GET("/second-step", f.Page(step.Page, form, resume, session))
	r.POST("/second-step", f.Page(step.Answer, form, text, resume, session))

	enrol := signin.Enrol{Frame: f}
	r.GET("/enrol", f.Page(enrol.Page, form, frame.AskedToEnrol))
	r.POST("/enrol/decline", f.Page(enrol.Decline, form, asked))

	register := signin.Register{Frame: f, Open: config.Registration}
	r.GET("/register", f.Page(register.Page, form, resume, session))
	r.POST("/register", f.Page(register.Submit, form, text, resume, session))

	linking := signin.Linking{Frame: f, ShowLinked: linked.Show}
	upstream := signin.Upstream{Linking: linking}
	r.GET("/federation/:provider", f.Page(upstream.Page, form, resume))
	r.POST("/federation/:provider", f.Page(upstream.Begin, form, text, resume, session))
	r.GET("/federation/:provider/callback", f.CrossSitePage(upstream.Return, form, text))
	r.POST("/account/linked/add", f.Page(upstream.BeginLink, form, fresh("/account/linked")))

	signUp := signin.UpstreamSignUp{Linking: linking}
	r.GET("/arrival", f.Page(signUp.Page))
	r.POST("/arrival/register", f.Page(signUp.Register, form, text, session))
	r.POST("/arrival/sign-in", f.Page(signUp.SignIn, form))
	r.GET("/arrival/link", f.Page(signUp.LinkPage, form, resume, session))
	r.POST("/arrival/link", f.Page(signUp.Link, form, resume, fresh("/arrival/link")))

	reset := signin.ResetPassword{Frame: f}
	r.GET("/forgot-password", f.Page(reset.RequestPage))
	r.POST("/forgot-password", f.Page(reset.Request, form, text))
	r.GET("/reset-password", f.Page(reset.Page))
	r.POST("/reset-password", f.Page(reset.Submit, form, text))

	verify := signin.VerifyEmail{Frame: f}
	r.GET("/verify-email", f.Page(verify.Page, form, session))
	r.POST("/verify-email", f.Page(verify.Submit, form, text, session))

	links := signin.Links{Frame: f}
	r.GET("/unlock", f.Page(links.UnlockPage))
	r.POST("/unlock", f.Page(links.Unlock, form, text))
	r.GET("/not-me", f.Page(links.NotMePage))
	r.POST("/not-me", f.Page(links.NotMe, form, text))
}

// questionRoutes are what a person is asked on the way to an app, be it on another device.
func questionRoutes(r *gin.Engine, f *frame.Frame) {
	choice := signin.SelectAccount{Frame: f}
	r.GET("/select-account", f.Page(choice.Page, form, asked))
	r.POST("/select-account", f.Page(choice.Answer, form, asked))

	consent := signin.Consent{Frame: f}
	r.GET("/consent", f.Page(consent.Page, form, asked))
	r.POST("/consent", f.Page(consent.Answer, form, asked))

	device := signin.Device{Frame: f}
	r.GET(oidc.PathDevice, f.Page(device.Page, form, text, session))
	r.POST(oidc.PathDevice, f.Page(device.Decide, form, text, session))

	noAccess := signin.NoAccess{Frame: f}
	r.GET("/no-access", f.Page(noAccess.Page, form, asked))
	r.POST("/no-access", f.Page(noAccess.Answer, form, asked))

	confirmation := signin.ContinueToApp{Frame: f}
	r.GET("/continue", f.Page(confirmation.Page, form, asked))
	r.POST("/continue", f.Page(confirmation.Answer, form, asked))
}

// accountRoutes are what a person may change of their own account.
func accountRoutes(r *gin.Engine, f *frame.Frame, linked account.Linked) {
	r.GET("/account", f.Page(account.Overview{Frame: f}.Page, signedIn))
	r.GET("/account/activity", f.Page(account.Activity{Frame: f}.Page, signedIn))

	devices := account.Devices{Frame: f}
	r.GET("/account/devices", f.Page(devices.Page, signedIn))
	r.POST("/account/devices/end", f.Page(devices.End, form, fresh("/account/devices")))
	r.POST("/account/devices/end-others", f.Page(devices.EndOthers, form, fresh("/account/devices")))
	r.POST("/account/sign-out", f.Page(devices.SignOut, form, inSession))
	r.POST("/account/sign-out-everywhere", f.Page(devices.SignOutEverywhere, form, fresh("/account/devices")))

	r.GET("/apps", f.Page(account.UsableApps{Frame: f}.Page, session))

	apps := account.Apps{Frame: f}
	r.GET("/account/apps", f.Page(apps.Page, signedIn))
	r.GET("/account/apps/remove", f.Page(apps.ConfirmRemoval, form, text, fresh("/account/apps")))
	r.POST("/account/apps/remove", f.Page(apps.Remove, form, text, fresh("/account/apps")))

	profile := account.Profile{Frame: f}
	r.GET("/account/profile", f.Page(profile.Page, signedIn))
	r.POST("/account/profile", f.Page(profile.Update, form, signedIn, text))

	picture := account.Picture{Frame: f}
	r.POST("/account/picture", f.Page(picture.Upload, signedIn))
	r.POST("/account/picture/remove", f.Page(picture.Remove, form, signedIn))
	r.GET("/pictures/:digest", f.Page(picture.Serve))

	emails := account.Emails{Frame: f}
	r.GET("/account/emails", f.Page(emails.Page, signedIn))
	r.POST("/account/emails/add", f.Page(emails.Add, form, fresh("/account/emails"), text))
	r.POST("/account/emails/resend", f.Page(emails.Resend, form, fresh("/account/emails"), text))
	r.POST("/account/emails/primary", f.Page(emails.MakePrimary, form, fresh("/account/emails"), text))
	r.POST("/account/emails/remove", f.Page(emails.Remove, form, fresh("/account/emails"), text))

	phones := account.Phones{Frame: f}
	r.GET("/account/phones", f.Page(phones.Page, signedIn))
	r.POST("/account/phones/add", f.Page(phones.Add, form, fresh("/account/phones"), text))
	r.POST("/account/phones/resend", f.Page(phones.Resend, form, fresh("/account/phones"), text))
	r.POST("/account/phones/verify", f.Page(phones.Verify, form, fresh("/account/phones"), text))
	r.POST("/account/phones/primary", f.Page(phones.MakePrimary, form, fresh("/account/phones"), text))
	r.POST("/account/phones/remove", f.Page(phones.Remove, form, fresh("/account/phones"), text))

	r.GET("/account/linked", f.Page(linked.Page, signedIn))
	r.POST("/account/linked/remove", f.Page(linked.Remove, form, fresh("/account/linked")))

	factorRoutes(r, f)

	privacy := account.Privacy{Frame: f}
	r.GET("/account/privacy", f.Page(privacy.Page, signedIn))
	r.POST("/account/download", f.Page(privacy.Download, form, fresh("/account/privacy")))
	r.POST("/account/erase", f.Page(privacy.Erase, form, fresh("/account/privacy")))
}

// factorRoutes are what a person signs in with.
func factorRoutes(r *gin.Engine, f *frame.Frame) {
	// A changed password demands by itself what it takes, for that depends on whether there was one.
	security := account.Security{Frame: f}
	r.GET("/account/security", f.Page(security.Page, signedIn))
	r.GET("/.well-known/change-password", f.Page(security.WhereToChangePassword))
	r.POST("/account/password", f.Page(security.ChangePassword, form, signedIn, text))

	factors := account.Factors{Frame: f}
	change := []frame.Demand{form, text, resume, fresh("/account/security")}
	add := []frame.Demand{form, text, resume, toEnrol("/account/security")}
	r.POST("/account/password/remove", f.Page(factors.RemovePassword, change...))
	r.GET("/account/passkeys/new", f.Page(factors.NewPasskey, form, resume, toEnrol("/account/passkeys/new")))
	r.POST("/account/passkeys/add", f.Page(factors.AddPasskey, add...))
	r.POST("/account/passkeys/remove", f.Page(factors.RemovePasskey, change...))
	newKey := toEnrol("/account/hardware-keys/new")
	r.GET("/account/hardware-keys/new", f.Page(factors.NewHardwareKey, form, resume, newKey))
	r.POST("/account/hardware-keys/add", f.Page(factors.AddHardwareKey, add...))
	r.POST("/account/hardware-keys/remove", f.Page(factors.RemoveHardwareKey, change...))
	r.GET("/account/totps/new", f.Page(factors.NewTOTP, form, resume, toEnrol("/account/totps/new")))
	r.POST("/account/totps/confirm", f.Page(factors.ConfirmTOTP, add...))
	r.POST("/account/totps/remove", f.Page(factors.RemoveTOTP, change...))
	r.GET("/account/backup-codes", f.Page(factors.OfferBackupCodes, signedIn))
	r.POST("/account/backup-codes", f.Page(factors.MakeBackupCodes, change...))
	r.POST("/account/factors/keep", f.Page(factors.Keep, change...))
}

// protocolRoutes are what apps call, send people to, or read.
func protocolRoutes(r *gin.Engine, f *frame.Frame) {
	// A person whom an app sent; the request may come from another origin.
	authorize := protocol.Authorize{Frame: f}
	r.GET(oidc.PathAuthorize, f.CrossSitePage(authorize.Get, form))
	r.POST(oidc.PathAuthorize, f.CrossSitePage(authorize.Post, form))

	logout := protocol.Logout{Frame: f}
	r.GET(oidc.PathLogout, f.CrossSitePage(logout.Begin, form))
	r.POST(oidc.PathLogout, f.CrossSitePage(logout.Begin, form))
	r.POST("/logout/confirm", f.Page(logout.Confirm, form))

	// An app, or a provider upstream.
	r.POST(oidc.PathPAR, f.App(protocol.PushedRequests{Frame: f}.Push, form))
	r.POST(oidc.PathDeviceRequest, f.App(protocol.DeviceRequests{Frame: f}.Begin, form))
	tokens := protocol.Tokens{Frame: f}
	r.POST(oidc.PathToken, f.App(tokens.Token, form))
	r.POST(oidc.PathIntrospect, f.App(tokens.Introspect, form))
	r.POST(oidc.PathRevoke, f.App(tokens.Revoke, form))

	userinfo := protocol.Userinfo{Frame: f}
	r.GET(oidc.PathUserinfo, f.App(userinfo.Answer))
	r.POST(oidc.PathUserinfo, f.App(userinfo.Answer))

	fromAnyOrigin := []string{
		oidc.PathPAR, oidc.PathDeviceRequest, oidc.PathToken, oidc.PathRevoke, oidc.PathUserinfo,
		oidc.PathConfiguration, oidc.PathServerMetadata, oidc.PathJWKS, oidc.PathResource,
	}
	if f.Registration.Mode.Enabled() {
		register := protocol.Registration{Frame: f}
		r.POST(oidc.PathClients, f.App(register.Register))
		own := oidc.PathClients + "/:id"
		r.GET(own, f.App(register.Read))
		r.PUT(own, f.App(register.Replace))
		r.DELETE(own, f.App(register.Delete))
		fromAnyOrigin = append(fromAnyOrigin, oidc.PathClients, own)
	}

	r.POST("/federation/:provider/logout", f.App(protocol.UpstreamLogout{Frame: f}.Post, form))

	// What is the same for everybody.
	metadata := protocol.Metadata{Frame: f}
	r.GET(oidc.PathConfiguration, metadata.Configuration)
	r.GET(oidc.PathServerMetadata, metadata.Configuration)
	r.GET(oidc.PathJWKS, metadata.JWKS)
	r.GET(oidc.PathResource, metadata.Resource)
	r.GET("/.well-known/webauthn", metadata.RelatedOrigins)
	if f.Provider.SessionManagement {
		r.GET(oidc.PathCheckSession, protocol.CheckSession)
	}
	for _, path := range fromAnyOrigin {
		r.OPTIONS(path, frame.Preflight)
	}
	r.Match([]string{http.MethodGet, http.MethodHead}, assets.Root+"*name", gin.WrapH(assets.Handler()))
}
