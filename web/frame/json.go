package frame

import (
	"io"
	"mime"
	"net/http"

	"github.com/wicket-id/wicket/oidc"
)

// ReadJSON reads the body of a request, which must say that it is JSON and be no longer than a form may be. It
// returns an *oidc.Error for another; whether it is JSON is for the caller to see.
func ReadJSON(v *Visit) ([]byte, error) {
	request := v.Gin.Request
	kind, _, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		body, err := io.ReadAll(http.MaxBytesReader(v.Gin.Writer, request.Body, maxBody))
		if err == nil {
			return body, nil
		}
	}
	AllowAnyOrigin(v.Gin)
	return nil, oidc.InvalidRequest("The body must be application/json and at most 64 KiB.")
}
