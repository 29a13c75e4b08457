package oidc

import "testing"

// What leads to this server, however it is written, is no app's.
func TestWhatLeadsElsewhere(t *testing.T) {
	for issuer, addresses := range map[string]map[string]bool{
		"https://id.example.com": {
			"https://id.example.com/console/people/1/disable": false, "https://ID.example.com:443/cb": false,
			"https://id.example.com:0443": false, "https://id.example.com:8443/cb": true, "https://app.example.com/cb": true,
			"https://id.example.com.evil.example/cb": true, "com.example.app:/cb": true, "http://localhost:3000/cb": true,
		},
		"http://localhost:8080": {
			"http://localhost:8080/sign-in": false, "http://localhost:3000/cb": true, "http://localhost/cb": true,
		},
		"http://localhost": {"http://localhost:80/cb": false, "http://localhost:8080/cb": true},
	} {
		p := &Provider{Issuer: issuer}
		for uri, elsewhere := range addresses {
			if err := p.CheckElsewhere(uri); elsewhere != (err == nil) {
				t.Errorf("%s at %s: %v", uri, issuer, err)
			}
		}
	}
}
