package web

import (
	"mime"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
)

const maxBody = 64 << 10 // bytes; no form of ours comes near

// query reads the parameters of the URL.
func query(c *gin.Context) (url.Values, error) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, errForm
	}
	return values, nil
}

// posted reads the parameters of the body, and of the body alone. An empty body is an empty form.
func posted(c *gin.Context) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(c.GetHeader("Content-Type")); c.Request.ContentLength != 0 && (err != nil || kind != "application/x-www-form-urlencoded") {
		return nil, errForm
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	c.Request.URL.RawQuery = "" // ParseForm would mix it in
	if err := c.Request.ParseForm(); err != nil {
		return nil, errForm
	}
	return c.Request.PostForm, nil
}
