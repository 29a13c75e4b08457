package password

import (
	"runtime"
	"sync"
)

// garbage bounds how much memory of passwords that were hashed waits to be collected. Where cores are scarce, the
// runtime's own collection can fall far behind the hashing, and then the memory limit of a container kills the process.
type garbage struct {
	most int64 // hashes whose memory may wait; 0: as the runtime has it

	mutex sync.Mutex
	waits int64 // hashes since the last collection
}

// add is called before the memory of one more hash is taken. It collects the others', where they are too many.
func (g *garbage) add() {
	if g.most == 0 {
		return
	}
	g.mutex.Lock() // the others wait for the collection, too
	defer g.mutex.Unlock()
	if g.waits >= g.most {
		runtime.GC()
		g.waits = 0
	}
	g.waits++
}
