// Package identity answers one question: who are you?
//
// It keeps users and what belongs to them, each noun in a file of its own that reads in the order of its life: the row,
// its rules, its verbs, its queries. A verb that changes something is one transaction that also writes the audit trail.
package identity
