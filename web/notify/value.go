package notify

import (
	"strconv"
	"strings"
	"time"

	"github.com/wicket-id/wicket/web/locales"
)

// factors are the words for the kinds of factors.
var factors = map[string]locales.Key{
	"password":     locales.Key("email.factor.password"),
	"totp":         locales.Key("email.factor.totp"),
	"passkey":      locales.Key("email.factor.passkey"),
	"hardware_key": locales.Key("email.factor.hardware_key"),
	"backup_codes": locales.Key("email.factor.backup_codes"),

	"external_account": locales.Key("email.factor.external_account"),
	"known_devices":    locales.Key("email.factor.known_devices"),
}

// reasons are the words for why a webhook was switched off.
var reasons = map[string]locales.Key{
	"gone":    locales.Key("email.webhook_disabled.gone"),
	"failing": locales.Key("email.webhook_disabled.failing"),
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
	case "reason":
		if key, ok := reasons[value]; ok {
			return language.Text(key)
		}
	case "factors":
		return factorsText(language, value)
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

// factorsText lists what factor.EntriesValue wrote down, one line for each.
func factorsText(language *locales.Language, value string) string {
	lines := strings.Split(value, "\n")
	for i, line := range lines {
		kind, added, _ := strings.Cut(line, " ")
		if key, ok := factors[kind]; ok {
			kind = language.Text(key)
		}
		if at, err := time.Parse(time.RFC3339, added); err == nil {
			kind = language.Text("email.factor.added", locales.Params{"Factor": kind, "Date": language.Date(at)})
		}
		lines[i] = kind
	}
	return strings.Join(lines, "; ")
}

// codesLeft says how many backup codes somebody has left, and what to do where they are few.
func codesLeft(language *locales.Language, left int, few bool) string {
	text := language.Text("email.backup_code_used.left", locales.Params{"Count": left})
	if few {
		text += " " + language.Text("email.backup_code_used.make_more")
	}
	return text
}
