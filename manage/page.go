package manage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/wicket-id/wicket/identity/refusal"
)

// Page is a part of a list that may be long.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Give it as cursor to get the next part; left out: this is the last one."`
}

// Part says which part of a list is wanted.
type Part struct {
	Cursor string // Next of the part before; empty: from the beginning
	Limit  int    // how many items at the most: 1 to MaxLimit; 0: DefaultLimit
}

// How long a part of a list is.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// ErrCursor says that a cursor is not one of ours, or belongs to another list or another filter.
var ErrCursor = refusal.New("cursor.invalid", "the cursor is not one that this list has returned for this filter; begin without one")

// Size is Limit within its bounds.
func (p Part) Size() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// After reads where the part before has ended: the sort keys of its last item, into keys, a pointer. list and filter
// say which list it is. It tells whether there was a part before, or returns ErrCursor.
func (s *Store) After(part Part, list string, filter, keys any) (bool, error) {
	if part.Cursor == "" {
		return false, nil
	}
	payload, mac, ok := strings.Cut(part.Cursor, ".")
	sent, err := base64.RawURLEncoding.DecodeString(mac)
	if !ok || err != nil {
		return false, ErrCursor
	}
	for _, expected := range s.cursorMACs(list, filter, payload) {
		if hmac.Equal(sent, expected) {
			decoded, err := base64.RawURLEncoding.DecodeString(payload)
			if err != nil || json.Unmarshal(decoded, keys) != nil {
				return false, ErrCursor
			}
			return true, nil
		}
	}
	return false, ErrCursor
}

// NewPage is the part of a list that begins with found, which were asked for with one more than the part has. keys are
// the sort keys of an item.
func NewPage[T any](s *Store, part Part, list string, filter any, found []T, keys func(*T) any) (Page[T], error) {
	page := Page[T]{Items: found}
	if page.Items == nil {
		page.Items = []T{}
	}
	if len(found) <= part.Size() {
		return page, nil
	}
	page.Items = found[:part.Size()]
	encoded, err := json.Marshal(keys(&page.Items[part.Size()-1]))
	if err != nil {
		return page, err
	}
	payload := base64.RawURLEncoding.EncodeToString(encoded)
	page.Next = payload + "." + base64.RawURLEncoding.EncodeToString(s.cursorMACs(list, filter, payload)[0])
	return page, nil
}

// cursorMACs are what authenticates a cursor, under each master key. Nobody can ask for a part of another list by it,
// nor learn from it how one sorts.
func (s *Store) cursorMACs(list string, filter any, payload string) (macs [][]byte) {
	about, _ := json.Marshal([]any{list, filter, payload})
	for _, key := range s.Seal.Derive("cursor", nil) {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write(about)
		macs = append(macs, mac.Sum(nil)[:16])
	}
	return macs
}
