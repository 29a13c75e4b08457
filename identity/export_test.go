package identity

// What the tests see of this package besides what everybody sees.
const (
	MaxCodeTries       = maxCodeTries
	MaxTextsBy         = maxTextsBy
	MaxTextsTo         = maxTextsTo
	MaxUserAgent       = maxUserAgent
	PhoneProofLifetime = phoneProofLifetime
	SeenEvery          = seenEvery
	TextWindow         = textWindow
)
