package api

import (
	"context"
	"net/http"

	"github.com/wicket-id/wicket/manage"
	"github.com/wicket-id/wicket/manage/issuer"
)

// signingKeys are the operations on the keys by which tokens are signed, and requests of apps encrypted.
func (a *API) signingKeys() {
	const tag = "keys"
	register(a, operation{
		id: "list-keys", method: http.MethodGet, path: "/keys", tag: tag, permission: manage.ReadKeys,
		summary: "List the keys of this server",
	}, func(ctx context.Context, by manage.Caller, _ *struct{}) (*list[issuer.Key], error) {
		return listed(a.Issuer.Keys(ctx, by))
	})

	type rotateIn struct {
		Repeatable
		Body struct {
			Algs   []string `json:"algs,omitempty" enum:"RS256,ES256,EdDSA,RSA-OAEP,RSA-OAEP-256,ECDH-ES,ECDH-ES+A128KW,ECDH-ES+A192KW,ECDH-ES+A256KW" maxItems:"9" doc:"Only the keys of these algorithms; left out: all."`
			Leaked bool     `json:"leaked,omitempty" doc:"A key is in the wrong hands: the new ones sign at once, and nothing that the old ones signed is trusted."`
		}
	}
	register(a, operation{
		id: "rotate-keys", method: http.MethodPost, path: "/keys", tag: tag, permission: manage.RotateKeys,
		summary: "Make new keys", status: http.StatusCreated,
	}, func(ctx context.Context, by manage.Caller, in *rotateIn) (*list[issuer.Key], error) {
		return listed(a.Issuer.Rotate(ctx, by, in.Body.Leaked, in.Body.Algs))
	})
}
