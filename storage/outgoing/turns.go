package outgoing

import "sync"

// Turns bound how many messages to one receiver are under way in this process. The zero value is ready.
type Turns struct {
	mu    sync.Mutex
	taken map[string]int
}

// Take tells whether there is a turn left for a receiver, of so many; it must be given back.
func (t *Turns) Take(receiver string, most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[receiver] >= most {
		return false
	}
	if t.taken == nil {
		t.taken = make(map[string]int)
	}
	t.taken[receiver]++
	return true
}

// GiveBack gives a turn back.
func (t *Turns) GiveBack(receiver string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[receiver]--; t.taken[receiver] == 0 {
		delete(t.taken, receiver)
	}
}
