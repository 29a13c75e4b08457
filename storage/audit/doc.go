// Package audit keeps the audit trail: what changed, from what to what, and who did it. Who acts travels in the
// context as an Actor, see As; a transaction that changes something calls Record.
package audit
