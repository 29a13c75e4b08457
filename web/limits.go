package web

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/audit"
)

// DefaultLimits are generous: they stop a loop that ran wild and a flood from one source, and neither a large office behind
// one address nor an app with millions of users. An endpoint is named by the first part of its path. Guessing has limits
// of its own, in identity.
var DefaultLimits = storage.Rates{
	"authorize.ip":       {N: 60_000, Per: time.Minute},
	"authorize.account":  {N: 60_000, Per: time.Minute},
	"sign-in.ip":         {N: 6_000, Per: time.Minute},
	"register.ip":        {N: 600, Per: time.Minute},
	"forgot-password.ip": {N: 600, Per: time.Minute},
	"account.ip":         {N: 6_000, Per: time.Minute},
	"account.account":    {N: 600, Per: time.Minute},
	"token.ip":           {N: 300_000, Per: time.Minute},
	"token.client":       {N: 300_000, Per: time.Minute},
	"introspect.ip":      {N: 300_000, Per: time.Minute},
	"introspect.client":  {N: 300_000, Per: time.Minute},
	"revoke.ip":          {N: 300_000, Per: time.Minute},
	"revoke.client":      {N: 300_000, Per: time.Minute},
	"userinfo.ip":        {N: 300_000, Per: time.Minute},
	"other.ip":           {N: 6_000, Per: time.Minute},
	"other.account":      {N: 600, Per: time.Minute},
}

// endpoint is the name of what a request asks for, as limits know it; empty where there is no such page.
func endpoint(c *gin.Context) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(c.FullPath(), "/"), "/")
	return name
}

// spend counts a request for the network that it comes from. What is the same for everybody and costs next to nothing –
// discovery, keys, assets – is not counted. An account is counted where its session is read, a client where it has shown
// who it is: nobody can use up what is another's by its name.
func (s *Server) spend(c *gin.Context) error {
	ctx := c.Request.Context()
	return s.Limits.Spend(ctx, endpoint(c), storage.ByIP, identity.Device{IP: audit.ActorOf(ctx).IP}.Source())
}
