// Package outgoing is what messages to programs elsewhere have in common, whoever sends them: turns, by which one that
// is slow leaves the workers to the others (Turns), signatures (Sign), and what is kept of an answer (Said). The client
// that sends them is storage.Outbound's.
package outgoing
