package storagetest

import (
	"testing"
)

// Port is FreePort for a test.
func Port(t testing.TB) int {
	t.Helper()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}
