package notify

import (
	"strconv"
	"time"

	"github.com/wicket-id/wicket/web/locales"
)

// factors are the words for the kinds of factors.
var factors = map[string]locales.Key{
	"password":     locales.Key("email.factor.password"),
	"totp":         locales.Key("email.factor.totp"),
	"passkey":      locales.Key("email.factor.passkey"),
	"hardware_key": locales.Key("email.factor.hardware_key"),
}

// valueText is a value of a message in words. One that cannot be read is shown as it is: jobs outlive an upgrade, and
// those of older versions have words already.
func valueText(language *locales.Language, name string, values map[string]string) string {
	value := values[name]
	switch name {
	case "factor":
		if key, ok := factors[value]; ok {
			return language.Text(key)
		}
	case "date", "until":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return language.Date(at)
		}
	case "time":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return language.Moment(at)
		}
	case "left":
		if left, err := strconv.Atoi(value); err == nil {
			return codesLeft(language, left, values["few"] != "")
		}
	}
	return value
}

// codesLeft says how many backup codes somebody has left, and what to do where they are few.
func codesLeft(language *locales.Language, left int, few bool) string {
	text := language.Text("email.backup_code_used.left", locales.Params{"Count": left})
	if few {
		text += " " + language.Text("email.backup_code_used.make_more")
	}
	return text
}
