package frame

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage/audit"
	"github.com/wicket-id/wicket/storage/cache"
)

// endpoint is the name of what a request asks for, as limits know it: the first part of its path; empty where there is
// no such page.
func endpoint(c *gin.Context) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(c.FullPath(), "/"), "/")
	return name
}

// CountNetwork is a Demand: it counts a request for the network that it comes from, and returns a *cache.Limited
// where that sends too many. What is the same for everybody and costs next to nothing – discovery, keys, assets – is
// not counted. An account is counted where its session is read, a client where it has authenticated: nobody can use up
// the limit of another by its name.
func CountNetwork(v *Visit) error {
	source := identity.Device{IP: audit.ActorOf(v.Context()).IP}.Source()
	return v.frame.Limits.Take(v.Context(), endpoint(v.Gin), cache.ByIP, source)
}

// Count counts a request for who has sent it, by kind: cache.ByAccount or cache.ByClient. It returns a *cache.Limited
// where they send too many.
func Count(v *Visit, kind, name string) error {
	return v.frame.Limits.Take(v.Context(), endpoint(v.Gin), kind, name)
}
