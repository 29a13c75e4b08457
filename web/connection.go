package web

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

type connectionKey struct{}

var connections atomic.Int64

// NameConnection gives every connection a name, for http.Server.ConnContext.
func NameConnection(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, strconv.FormatInt(connections.Add(1), 36))
}

// connection returns the name of the connection on which a request came; empty where requests may overtake each other
// (HTTP/2) or nobody named it.
func connection(c *gin.Context) string {
	if c.Request.ProtoMajor != 1 {
		return ""
	}
	name, _ := c.Request.Context().Value(connectionKey{}).(string)
	return name
}
