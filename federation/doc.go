// Package federation answers one question: whom do we trust upstream? It makes Wicket a relying party of other
// providers: Google, Microsoft, GitHub and any OpenID Provider. Begin with Upstreams: Begin makes an authorization
// request, Return verifies the response and hands as much of it as the settings trust to the caller, for
// identity/signin to decide what becomes of it: a sign-in, a link, a new account.
package federation
