// Package identifier knows what people are found by when they sign in: usernames, e-mail addresses and phone numbers,
// as they are typed and as they are compared, and which of them somebody may choose. It knows no database. Begin with
// NewUsernameKey, EmailKey and PhoneNumber.
package identifier
