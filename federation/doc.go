// Package federation answers one question: whom do we believe? It makes Wicket a relying party of other providers:
// Google, Microsoft, GitHub and any OpenID Provider. It sends people there, verifies with what they come back, and
// hands what may be believed of it to the identity store. What becomes of it – a sign-in, a link, a new account – is
// decided there.
package federation
