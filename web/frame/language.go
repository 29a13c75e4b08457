package frame

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/wicket-id/wicket/identity/password"
	"github.com/wicket-id/wicket/web/locales"
)

// languageOf decides in which language a request is answered.
func languageOf(*gin.Context) *locales.Language { return locales.English }

// OneOf returns the first of some known errors that err is; nil where it is none of them.
func OneOf(err error, known []error) error {
	for _, candidate := range known {
		if errors.Is(err, candidate) {
			return candidate
		}
	}
	return nil
}

// PasswordFaults are the reasons why a password cannot be chosen.
var PasswordFaults = []error{password.ErrWeak, password.ErrCommon, password.ErrPersonal}
