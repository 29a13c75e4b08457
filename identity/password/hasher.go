package password

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// Hasher hashes passwords with argon2id (RFC 9106). The parameters are stored with each hash, so they can be raised at
// any time. It bounds how many run at once, for each takes its memory and a core: see slots and garbage.
type Hasher struct {
	memory    uint32 // KiB
	passes    uint32
	slots     *slots
	garbage   *garbage
	dummy     string
	costliest *atomic.Int64 // nanoseconds that a comparison with a hash of another system took
}

const (
	argonLanes = 1
	argonSalt  = 16 // bytes
	argonKey   = 32 // bytes
)

// NewHasher returns a Hasher that uses memory KiB and that many passes, runs at most parallel at once and lets others
// wait for at most patience. OWASP's minimum is 19456 KiB and 2 passes.
func NewHasher(memory, passes uint32, parallel int, patience time.Duration) *Hasher {
	h := &Hasher{
		memory: memory, passes: passes, slots: newSlots(parallel, patience), garbage: new(garbage),
		costliest: new(atomic.Int64),
	}
	h.dummy = h.encode(make([]byte, argonSalt), make([]byte, argonKey))
	return h
}

// BoundGarbage lets the memory of at most that many hashes wait to be collected. Call it before the first hash.
func (h *Hasher) BoundGarbage(hashes int64) { h.garbage.most = hashes }

// Beside returns a Hasher with the same parameters and that many slots of its own.
func (h *Hasher) Beside(parallel int) *Hasher {
	beside := *h
	beside.slots = newSlots(parallel, h.slots.patience)
	return &beside
}

// Hash returns the PHC string of password, or ErrBusy.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.slots.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	h.garbage.add()
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails, says its documentation
	return h.encode(salt, argon2.IDKey([]byte(password), salt, h.passes, h.memory, argonLanes, argonKey)), nil
}

// Verify tells whether password is the one that hash was made of, and whether it should be hashed anew because it was
// made elsewhere or the parameters have changed since. An empty hash (no such person, or no password) costs the same
// time as one of ours and never matches.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (matches, outdated bool, err error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	stored, err := ReadHash(hash)
	if err != nil {
		return false, false, fmt.Errorf("verify password: the stored hash: %w", err)
	}
	if len(password) > maxPassword {
		password = "" // nobody's password: Check refused it
		known = false
	}
	release, err := h.slots.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	h.garbage.add()
	ours := stored.recipe == argonRecipe(h.memory, h.passes, argonLanes, argonSalt, argonKey)
	began := time.Now()
	matches, err = stored.matches(password)
	if took := int64(time.Since(began)); !ours && took > h.costliest.Load() {
		h.costliest.Store(took)
	}
	if err != nil {
		return false, false, fmt.Errorf("verify password: %s: %w", stored.Scheme, err)
	}
	matches = matches && known
	return matches, matches && !ours, nil
}

// Load tells how many passwords are being hashed and how many wait.
func (h *Hasher) Load() (running, waiting int) { return h.slots.load() }

// Costliest is how long the longest comparison with a hash of another system took, so far. An answer that comes no
// sooner does not tell what kind of hash there is.
func (h *Hasher) Costliest() time.Duration { return time.Duration(h.costliest.Load()) }

// encode writes the PHC string format.
func (h *Hasher) encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
