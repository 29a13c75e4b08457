package apis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/oidc/apis"
	"github.com/wicket-id/wicket/oidc/oidctest"
	"github.com/wicket-id/wicket/storage"
)

func TestAPIsAreInOrder(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		for fault, change := range map[string]func(*apis.API){
			"must be an absolute URI":    func(a *apis.API) { a.Identifier = "orders" },
			"neither a fragment":         func(a *apis.API) { a.Identifier += "#top" },
			"nor a user":                 func(a *apis.API) { a.Identifier = "https://u@orders.example" },
			"at most 500 bytes":          func(a *apis.API) { a.Identifier += "/" + strings.Repeat("x", 500) },
			"neither spaces":             func(a *apis.API) { a.Identifier = "urn:a b" },
			"this server's issuer":       func(a *apis.API) { a.Identifier = "HTTPS://id.example.com/" },
			"needs a name":               func(a *apis.API) { a.Name = " " },
			"is not a scope":             func(a *apis.API) { a.Scopes[0].Name = "read orders" },
			"one of Wicket's own":        func(a *apis.API) { a.Scopes[0].Name = "email" },
			"named twice":                func(a *apis.API) { a.Scopes = append(a.Scopes, a.Scopes[0]) },
			"the words for the scope":    func(a *apis.API) { a.Scopes[0].Words = "\xff" },
			"200 scopes at the most":     func(a *apis.API) { a.Scopes = make([]apis.Scope, 201) },
			"the token type":             func(a *apis.API) { a.TokenType = "jwt" },
			"the lifetime of tokens":     func(a *apis.API) { a.TokenLifetime = 24*60*60 + 1 },
			"there is no client \"ghost": func(a *apis.API) { a.IntrospectionClients = []string{"ghost"} },
		} {
			api := ordersAPI()
			change(api)
			if err := h.APIs.Create(t.Context(), api); !errors.Is(err, apis.ErrAPI) || !strings.Contains(err.Error(), fault) {
				t.Errorf("%s: %v", fault, err)
			}
		}
		if list, err := h.APIs.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

func ordersAPI() *apis.API {
	return &apis.API{Identifier: "https://orders.example/v1", Name: "Orders", Scopes: []apis.Scope{{Name: "read"}}}
}

// However an identifier is spelled, there is one API for it.
func TestOneAPIForAllSpellings(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if err := h.APIs.Create(t.Context(), ordersAPI()); err != nil {
			t.Fatal(err)
		}
		for _, spelling := range []string{"https://orders.example/v1/", "HTTPS://ORDERS.example/v1"} {
			again := ordersAPI()
			again.Identifier = spelling
			if err := h.APIs.Create(t.Context(), again); !errors.Is(err, apis.ErrAPIExists) {
				t.Errorf("create %s: %v", spelling, err)
			}
			if found, err := h.APIs.Find(t.Context(), spelling); err != nil || found.Identifier != ordersAPI().Identifier {
				t.Errorf("find %s: %v, %v", spelling, found, err)
			}
		}
		for _, other := range []string{
			"https://orders.example/V1", "https://orders.example/v1//", "https://orders.example/v1?", "http://orders.example/v1",
		} {
			if found, err := h.APIs.Find(t.Context(), other); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("find %s: %v, %v", other, found, err)
			}
		}
	})
}

func TestChangingAnAPI(t *testing.T) {
	t.Parallel()
	oidctest.Each(t, func(t *testing.T, h *oidctest.Stack) {
		if err := h.APIs.Create(t.Context(), ordersAPI()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.APIs.Find(t.Context(), ordersAPI().Identifier); err != nil { // now it is remembered
			t.Fatal(err)
		}
		h.Pass(time.Millisecond)
		changed, err := h.APIs.Update(t.Context(), "https://orders.example/v1/", func(api *apis.API) {
			api.Identifier, api.IsOpen = "https://else.example", true
		})
		if err != nil || changed.Identifier != ordersAPI().Identifier {
			t.Fatalf("%+v, %v", changed, err)
		}
		if found, err := h.APIs.Find(t.Context(), ordersAPI().Identifier); err != nil || !found.IsOpen {
			t.Errorf("after the change: %+v, %v", found, err)
		}
		// Somebody else changes it between the read and the write.
		_, err = h.APIs.Update(t.Context(), ordersAPI().Identifier, func(api *apis.API) {
			h.Pass(time.Millisecond)
			if _, err := h.APIs.Update(t.Context(), api.Identifier, func(api *apis.API) { api.Name = "First" }); err != nil {
				t.Error(err)
			}
			api.Name = "Second"
		})
		if !errors.Is(err, apis.ErrAPIChanged) {
			t.Errorf("a change beside another: %v", err)
		}
		if found, err := h.APIs.Find(t.Context(), ordersAPI().Identifier); err != nil || found.Name != "First" {
			t.Errorf("%+v, %v", found, err)
		}
		for _, err := range []error{
			h.APIs.Delete(t.Context(), "https://nowhere.example"),
			func() error { _, err := h.APIs.Update(t.Context(), "urn:none", func(*apis.API) {}); return err }(),
		} {
			if !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("an API that is not there: %v", err)
			}
		}
	})
}
