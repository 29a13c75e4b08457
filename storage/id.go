package storage

import (
	"github.com/google/uuid"
)

// NewID returns a new id: a UUIDv7 (RFC 9562), whose order is the order of time.
func NewID() uuid.UUID {
	return uuid.Must(uuid.NewV7())
}
