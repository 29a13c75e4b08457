package oidc

import (
	"net"
	"net/url"
	"strings"
)

// OriginOf is the origin of a URL (RFC 6454), or empty where it is none.
func OriginOf(uri string) string {
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Host == "" {
		return ""
	}
	return parsed.Scheme + "://" + parsed.Host
}

// IsWebURL tells whether uri is an https URL, or http on this machine.
func IsWebURL(uri string) bool {
	parsed, err := url.Parse(uri)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "https" || parsed.Scheme == "http" && IsLoopback(parsed))
}

// IsLoopback tells whether a URL's host is this machine.
func IsLoopback(u *url.URL) bool {
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
