package web

import (
	"time"

	"github.com/wicket-id/wicket/storage/cache"
)

// DefaultLimits are generous: they stop a loop that ran wild and a flood from one source, and neither a large office
// behind one address nor an app with millions of users. An endpoint is named by the first part of its path. Guessing
// has limits of its own, in identity.
var DefaultLimits = cache.Rates{
	"authorize.ip":       {N: 60_000, Per: time.Minute},
	"authorize.account":  {N: 60_000, Per: time.Minute},
	"sign-in.ip":         {N: 6_000, Per: time.Minute},
	"register.ip":        {N: 600, Per: time.Minute},
	"forgot-password.ip": {N: 600, Per: time.Minute},
	"account.ip":         {N: 6_000, Per: time.Minute},
	"account.account":    {N: 600, Per: time.Minute},
	"par.ip":             {N: 6_000, Per: time.Minute},
	"par.client":         {N: 6_000, Per: time.Minute},
	"token.ip":           {N: 300_000, Per: time.Minute},
	"token.client":       {N: 300_000, Per: time.Minute},
	"introspect.ip":      {N: 300_000, Per: time.Minute},
	"introspect.client":  {N: 300_000, Per: time.Minute},
	"revoke.ip":          {N: 300_000, Per: time.Minute},
	"revoke.client":      {N: 300_000, Per: time.Minute},
	"par.public":         {N: 120, Per: time.Minute},

	"device_authorization.ip":     {N: 6_000, Per: time.Minute},
	"device_authorization.client": {N: 6_000, Per: time.Minute},
	"device_authorization.public": {N: 300, Per: time.Hour},
	"documents.ip":                {N: 60, Per: time.Minute},
	"documents.host":              {N: 60, Per: time.Minute},
	"clients.ip":                  {N: 600, Per: time.Minute},
	"api.ip":                      {N: 12_000, Per: time.Minute},
	"api.account":                 {N: 1_200, Per: time.Minute},
	"api.client":                  {N: 12_000, Per: time.Minute},
	"console.ip":                  {N: 6_000, Per: time.Minute},
	"console.account":             {N: 1_200, Per: time.Minute},
	"userinfo.ip":                 {N: 300_000, Per: time.Minute},
	"other.ip":                    {N: 6_000, Per: time.Minute},
	"other.account":               {N: 600, Per: time.Minute},
}
