package web

import (
	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/web/assets"
)

// routes is the table of everything that is served. Three kinds of visitor: a person (pages), an app (JSON), and an app
// that calls from a page of another origin (JSON with CORS).
func (s *Server) routes(r *gin.Engine) {
	r.Use(s.observe)
	r.NoRoute(s.person(s.notFound))
	r.NoMethod(s.person(s.methodNotAllowed))

	// A person.
	r.GET("/", s.person(s.welcome))
	r.GET("/sign-in", s.person(s.signInPage))
	r.POST("/sign-in", s.person(s.signIn))
	r.GET("/select-account", s.person(s.selectAccountPage))
	r.POST("/select-account", s.person(s.selectAccount))
	r.GET("/consent", s.person(s.consentPage))
	r.POST("/consent", s.person(s.consent))
	r.GET("/account", s.person(s.accountPage))
	r.POST("/account/devices/end", s.person(s.endDevice))
	r.POST("/account/devices/end-others", s.person(s.endOtherDevices))
	r.POST("/account/sign-out", s.person(s.signOut))
	r.POST("/account/sign-out-everywhere", s.person(s.signOutEverywhere))
	r.POST("/logout/confirm", s.person(s.logoutConfirmed))
	r.GET(assets.Root+"*name", gin.WrapH(assets.Handler()))
	r.HEAD(assets.Root+"*name", gin.WrapH(assets.Handler()))

	// A person whom an app sent; the request may come from another origin.
	r.GET(oidc.PathAuthorize, s.visitor(s.authorize))
	r.POST(oidc.PathAuthorize, s.visitor(s.authorizePosted))
	r.GET(oidc.PathLogout, s.visitor(s.logout))
	r.POST(oidc.PathLogout, s.visitor(s.logout))

	// An app.
	r.GET(oidc.PathConfiguration, s.configuration)
	r.GET(oidc.PathServerMetadata, s.configuration)
	r.GET(oidc.PathJWKS, s.jwks)
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
