package web

import (
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/assets"
)

// routes is the table of everything that is served. Three kinds of visitor: a person (pages), an app (JSON), and an app
// that calls from a page of another origin (JSON with CORS).
func (s *Server) routes(r *gin.Engine) {
	if s.Tracer != nil {
		r.Use(s.trace())
	}
	r.Use(s.observe)
	r.NoRoute(s.person(s.notFound))
	r.NoMethod(s.person(s.methodNotAllowed))

	// A person.
	r.GET("/", s.person(s.welcome))
	r.GET("/sign-in", s.person(s.signInPage))
	r.POST("/sign-in", s.person(s.signIn))
	r.POST("/sign-in/passkey", s.person(s.signInWithPasskey))
	r.GET("/second-step", s.person(s.secondStepPage))
	r.POST("/second-step", s.person(s.secondStep))
	r.GET("/enrol", s.person(s.enrolPage))
	r.POST("/enrol/decline", s.person(s.declineEnrol))
	r.GET("/register", s.person(s.registerPage))
	r.POST("/register", s.person(s.register))
	r.GET("/federation/:provider", s.person(s.upstreamPage))
	r.POST("/federation/:provider", s.person(s.beginUpstream))
	r.GET("/federation/:provider/callback", s.visitor(s.returnFromUpstream))
	r.GET("/arrival", s.person(s.arrivalPage))
	r.POST("/arrival/register", s.person(s.registerArrival))
	r.POST("/arrival/sign-in", s.person(s.signInForArrival))
	r.GET("/arrival/link", s.person(s.linkArrivalPage))
	r.POST("/arrival/link", s.person(s.linkArrival))
	r.GET("/select-account", s.person(s.selectAccountPage))
	r.POST("/select-account", s.person(s.selectAccount))
	r.GET("/consent", s.person(s.consentPage))
	r.POST("/consent", s.person(s.consent))
	r.GET("/account", s.person(s.accountPage))
	r.POST("/account/devices/end", s.person(s.endDevice))
	r.POST("/account/devices/end-others", s.person(s.endOtherDevices))
	r.POST("/account/sign-out", s.person(s.signOut))
	r.POST("/account/sign-out-everywhere", s.person(s.signOutEverywhere))
	r.GET("/account/profile", s.person(s.profilePage))
	r.POST("/account/profile", s.person(s.updateProfile))
	r.GET("/account/emails", s.person(s.emailsPage))
	r.POST("/account/emails/add", s.person(s.addEmail))
	r.POST("/account/emails/resend", s.person(s.resendEmail))
	r.POST("/account/emails/primary", s.person(s.makePrimaryEmail))
	r.POST("/account/emails/remove", s.person(s.removeEmail))
	r.GET("/account/phones", s.person(s.phonesPage))
	r.POST("/account/phones/add", s.person(s.addPhone))
	r.POST("/account/phones/resend", s.person(s.resendPhone))
	r.POST("/account/phones/verify", s.person(s.verifyPhone))
	r.POST("/account/phones/primary", s.person(s.makePrimaryPhone))
	r.POST("/account/phones/remove", s.person(s.removePhone))
	r.GET("/account/linked", s.person(s.linkedPage))
	r.POST("/account/linked/add", s.person(s.addLinked))
	r.POST("/account/linked/remove", s.person(s.removeLinked))
	r.GET("/account/security", s.person(s.securityPage))
	r.POST("/account/password", s.person(s.changePassword))
	r.POST("/account/password/remove", s.person(s.removePassword))
	r.GET("/account/passkeys/new", s.person(s.newPasskeyPage))
	r.POST("/account/passkeys/add", s.person(s.addPasskey))
	r.POST("/account/passkeys/remove", s.person(s.removePasskey))
	r.GET("/account/hardware-keys/new", s.person(s.newHardwareKeyPage))
	r.POST("/account/hardware-keys/add", s.person(s.addHardwareKey))
	r.POST("/account/hardware-keys/remove", s.person(s.removeHardwareKey))
	r.GET("/account/totps/new", s.person(s.newTOTPPage))
	r.POST("/account/totps/confirm", s.person(s.confirmTOTP))
	r.POST("/account/totps/remove", s.person(s.removeTOTP))
	r.POST("/account/backup-codes", s.person(s.makeBackupCodes))
	r.GET("/account/privacy", s.person(s.privacyPage))
	r.POST("/account/download", s.person(s.download))
	r.POST("/account/erase", s.person(s.eraseAccount))
	r.GET("/forgot-password", s.person(s.forgotPasswordPage))
	r.POST("/forgot-password", s.person(s.forgotPassword))
	r.GET("/reset-password", s.person(s.newPasswordPage))
	r.POST("/reset-password", s.person(s.newPassword))
	r.GET("/verify-email", s.person(s.verifyEmailPage))
	r.POST("/verify-email", s.person(s.verifyEmail))
	r.GET("/unlock", s.person(s.unlockPage))
	r.POST("/unlock", s.person(s.unlock))
	r.GET("/not-me", s.person(s.notMePage))
	r.POST("/not-me", s.person(s.notMe))
	if s.Outbox != nil {
		r.GET("/dev/outbox", s.person(s.outbox))
	}
	r.POST("/logout/confirm", s.person(s.logoutConfirmed))
	r.GET(assets.Root+"*name", gin.WrapH(assets.Handler()))
	r.HEAD(assets.Root+"*name", gin.WrapH(assets.Handler()))

	// A person whom an app sent; the request may come from another origin.
	r.GET(oidc.PathAuthorize, s.visitor(s.authorize))
	r.POST(oidc.PathAuthorize, s.visitor(s.authorizePosted))
	r.GET(oidc.PathLogout, s.visitor(s.logout))
	r.POST(oidc.PathLogout, s.visitor(s.logout))

	// A provider upstream.
	r.POST("/federation/:provider/logout", s.app(s.logoutFromUpstream))

	// An app.
	r.GET(oidc.PathConfiguration, s.configuration)
	r.GET(oidc.PathServerMetadata, s.configuration)
	r.GET(oidc.PathJWKS, s.jwks)
	r.GET("/.well-known/webauthn", s.relatedOrigins)
	r.POST(oidc.PathToken, s.app(s.token))
	r.POST(oidc.PathIntrospect, s.app(s.introspect))
	r.POST(oidc.PathRevoke, s.app(s.revoke))
	r.GET(oidc.PathUserinfo, s.app(s.userinfo))
	r.POST(oidc.PathUserinfo, s.app(s.userinfo))
	for _, path := range []string{oidc.PathToken, oidc.PathRevoke, oidc.PathUserinfo, oidc.PathConfiguration, oidc.PathServerMetadata, oidc.PathJWKS} {
		r.OPTIONS(path, preflight)
	}

	// Who runs it.
	r.GET("/healthz", s.healthz)
	r.GET("/readyz", s.readyz)
}
