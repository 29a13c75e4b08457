// Package events is what programs elsewhere are told of: lines of the audit trail under a name that stays the same,
// with a number. The line is written in the transaction of the change, and beside it, where somebody listens, one into
// the outbox (package audit). Store.Watch takes them from there after the commit and numbers them. That this is done in
// one place is why nobody who reads the feed from a number on ever misses an event that became known later, as they
// would by numbers that transactions take themselves. Begin with Store; the names are in catalogue.go.
package events
