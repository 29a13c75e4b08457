package frame

import (
	"mime"
	"net/http"
	"net/url"

	"github.com/wicket-id/wicket/oidc"
)

const maxBody = 64 << 10 // bytes; no form of ours comes near

// Form demands that the parameters can be read: those of the URL of a GET, those of the body, and of the body alone, of
// a POST. An empty body is an empty form.
func Form(v *Visit) (err error) {
	if v.Gin.Request.Method == http.MethodPost {
		v.Form, err = v.readBody()
		return err
	}
	if v.Form, err = url.ParseQuery(v.Gin.Request.URL.RawQuery); err != nil {
		return ErrForm
	}
	return nil
}

func (v *Visit) readBody() (url.Values, error) {
	request := v.Gin.Request
	if request.ContentLength != 0 {
		kind, _, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			return nil, ErrForm
		}
	}
	request.Body = http.MaxBytesReader(v.Gin.Writer, request.Body, maxBody)
	request.URL.RawQuery = "" // ParseForm would mix it in
	if err := request.ParseForm(); err != nil {
		return nil, ErrForm
	}
	return request.PostForm, nil
}

// Text demands that the form, which was read before, holds nothing but text.
func Text(v *Visit) error {
	if err := oidc.CheckForm(v.Form); err != nil {
		return ErrForm
	}
	return nil
}
