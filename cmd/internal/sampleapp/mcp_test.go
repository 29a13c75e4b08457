package sampleapp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A notebook holds what each person has written apart, and has bounds.
func TestNotebook(t *testing.T) {
	t.Parallel()
	book := &notebook{notes: make(map[string][]string)}
	for _, note := range []string{"", strings.Repeat("x", maxNote+1)} {
		if book.write("alice", note) == nil {
			t.Errorf("a note of %d bytes is taken", len(note))
		}
	}
	for i := range maxNotes {
		if err := book.write("alice", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if book.write("alice", "one more") == nil || book.write("bob", "milk") != nil {
		t.Error("the bound of one person's notes does not hold, or holds for others")
	}
	if read := book.read("bob"); !slices.Equal(read, []string{"milk"}) || len(book.read("alice")) != maxNotes {
		t.Errorf("bob reads %q", read)
	}
	for i := len(book.notes); i < maxWriters; i++ {
		if err := book.write(fmt.Sprint("person ", i), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	if book.write("late", "hello") == nil || book.write("bob", "bread") != nil {
		t.Error("the bound of people does not hold, or holds for those who are there")
	}
}
