package pages

// Ceremony is a question for a passkey or a security key. The script in assets/webauthn.js asks it, and posts state and
// response with the form.
type Ceremony struct {
	Options string // JSON, for the browser
	State   string // opaque, handed back unchanged
}
