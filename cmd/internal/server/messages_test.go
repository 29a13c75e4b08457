package server

import (
	"strings"
	"testing"
)

func TestFaultsOfTheSMSVariables(t *testing.T) {
	for _, c := range []struct{ url, secret, named string }{
		{"twilio://AC1:hush-hush@api.twilio.com", "", "WICKET_SMS_URL"},
		{"http://hooks.example.com/hush-hush", "0123456789abcdef", "WICKET_SMS_URL"},
		{"https://hooks.example.com/hush-hush", "", "WICKET_SMS_SECRET"},
		{"https://hooks.example.com/hush-hush", "0123456789abcdef", ""},
	} {
		_, err := Load(Environment{
			"WICKET_DATABASE_URL": "sqlite:" + t.TempDir() + "/wicket.db",
			"WICKET_SMS_URL":      c.url, "WICKET_SMS_SECRET": c.secret,
		})
		isNamed := err != nil && strings.Contains(err.Error(), c.named+": ") && !strings.Contains(err.Error(), "hush-hush")
		if c.named == "" && err != nil || c.named != "" && !isNamed {
			t.Errorf("%s: %v, should name %q", c.url, err, c.named)
		}
	}
}
