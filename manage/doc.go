// Package manage says who may change what. It is one set of verbs behind the management API, the console, commands and
// declared files, none of which reaches past it. What each noun looks like to them, and what may be done with it, is in
// the packages below: people, apps, activity. Here is what these share: who asks (Caller) and what they may do
// (Permission), pages of long lists (Page), the digest of what somebody has seen of a thing (ETag). Begin with Caller.
package manage
