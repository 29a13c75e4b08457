package frame

import (
	"errors"

	"github.com/gin-gonic/gin"
)

// Handler answers a request. An error that it returns becomes an answer in errors.go.
type Handler func(v *Visit) error

// Page wraps a handler of pages. What changes something must come from our own pages.
func (f *Frame) Page(handler Handler, demands ...Demand) gin.HandlerFunc {
	return f.CrossSitePage(handler, append([]Demand{sameOrigin}, demands...)...)
}

// CrossSitePage wraps a handler of pages to which apps and providers send people.
func (f *Frame) CrossSitePage(handler Handler, demands ...Demand) gin.HandlerFunc {
	handler = demanding(handler, demands)
	return func(c *gin.Context) {
		pageHeaders(c)
		v := f.NewVisit(c)
		if err := handler(v); err != nil {
			tellPerson(v, err)
		}
	}
}

// App wraps a handler that apps call.
func (f *Frame) App(handler Handler, demands ...Demand) gin.HandlerFunc {
	handler = demanding(handler, demands)
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		c.Header("Pragma", "no-cache") // RFC 6749, section 5.1
		v := f.NewVisit(c)
		if err := handler(v); err != nil {
			tellApp(v, err)
		}
	}
}

// NewVisit is a request of which nothing is read yet, for what does not answer as Page and App do.
func (f *Frame) NewVisit(c *gin.Context) *Visit {
	return &Visit{Gin: c, Language: languageOf(c), frame: f}
}

// demanding is a handler that first counts the request and meets what its route demands.
func demanding(handler Handler, demands []Demand) Handler {
	demands = append([]Demand{CountNetwork}, demands...)
	return func(v *Visit) (err error) {
		for _, demand := range demands {
			if err == nil {
				err = demand(v)
			}
		}
		if err == nil {
			err = handler(v)
		}
		if errors.Is(err, errAnswered) {
			return nil
		}
		return err
	}
}

// sameOrigin demands that a request that changes something was not sent by another site.
func sameOrigin(v *Visit) error {
	if err := v.frame.crossOrigin.Check(v.Gin.Request); err != nil {
		return errCrossOrigin
	}
	return nil
}

// NotFound is the handler of addresses that do not exist.
func NotFound(*Visit) error { return ErrNotFound }

// MethodNotAllowed is the handler of methods that an address does not have.
func MethodNotAllowed(*Visit) error { return errMethod }
