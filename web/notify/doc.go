// Package notify writes what people are told outside the browser, and sends it: mail by SMTP, text messages by a
// gateway. It works on jobs, so a slow server slows nobody and a dead one loses nothing.
package notify
