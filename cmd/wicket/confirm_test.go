package main

import (
	"io"
	"strings"
	"testing"
)

// What destroys goes on at a yes alone.
func TestAsk(t *testing.T) {
	for answer, want := range map[string]bool{
		"yes\n": true, " YES \n": true, "y\n": false, "no\n": false, "\n": false, "": false, "yes": false, "yes please\n": false,
	} {
		if err := ask(strings.NewReader(answer), io.Discard, "Really?"); (err == nil) != want {
			t.Errorf("%q: %v, want to go on: %t", answer, err, want)
		}
	}
}
