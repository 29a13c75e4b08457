package main

import (
	"strings"

	"github.com/wicket-id/wicket/cmd/internal/printer"
	"github.com/wicket-id/wicket/cmd/internal/server"
)

// warnOfIssuer tells that a link that is printed may lead elsewhere, where the command does not know the issuer.
func warnOfIssuer(env server.Environment, link string) {
	if issuer, err := env.Value("WICKET_ISSUER"); err == nil && issuer == "" {
		printer.Warn("WICKET_ISSUER is not set here: if the server has another one, put that in place of the beginning of %s",
			strings.SplitAfter(link, "?")[0])
	}
}
