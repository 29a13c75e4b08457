package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// ErrSealed says that sealed data was not sealed by any of our keys, or was changed since.
var ErrSealed = errors.New("cannot unseal: sealed with another master key, or damaged")

// ErrKeyLost says that a key is missing without which what was sealed until now could not be read.
var ErrKeyLost = errors.New(
	"the master key that has sealed so far is not among them; put a new one behind it, then before it, and leave it out last",
)

// Seal keeps secrets that must be read back: it encrypts and authenticates them with the master key. Each purpose has
// keys of its own, so that what was sealed for one is refused by another.
type Seal struct {
	ring atomic.Pointer[[][]byte] // the master keys, 32 bytes each; the first seals, all unseal
}

// Parse reads master keys: each 32 bytes in standard or URL-safe base64, several by commas, of which the first seals
// and all unseal.
func Parse(keys string) (*Seal, error) {
	var masters [][]byte
	for i, field := range strings.Split(keys, ",") {
		text := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimSpace(field)), "=")
		key, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("master key %d must be 32 bytes in base64; make one with: openssl rand -base64 32", i+1)
		}
		masters = append(masters, key)
	}
	s := new(Seal)
	s.ring.Store(&masters)
	return s, nil
}

// Adopt takes over the master keys of another, while others use this one. They must hold the key that has sealed so
// far, or ErrKeyLost is returned and nothing changes.
func (s *Seal) Adopt(other *Seal) error {
	ring := *other.ring.Load()
	if !slices.ContainsFunc(ring, func(key []byte) bool { return bytes.Equal(key, s.masters()[0]) }) {
		return ErrKeyLost
	}
	s.ring.Store(&ring)
	return nil
}

func (s *Seal) masters() [][]byte { return *s.ring.Load() }

// NewMasterKey returns a new random master key as Parse reads it.
func NewMasterKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, says its documentation
	return base64.StdEncoding.EncodeToString(key)
}

const (
	saltSize  = 12 // of the key of one message
	nonceSize = 12
)

// Close seals plaintext for purpose. Each message has a key of its own, derived from that of the purpose and a random
// salt: under one key random nonces of 96 bits must not be many more than 2^32 (NIST SP 800-38D, section 8.3).
func (s *Seal) Close(purpose string, plaintext []byte) []byte {
	sealed := make([]byte, saltSize+nonceSize, saltSize+nonceSize+len(plaintext)+aes.BlockSize)
	_, _ = rand.Read(sealed)
	aead := newAEAD(messageKey(s.masters()[0], purpose, sealed[:saltSize]))
	return aead.Seal(sealed, sealed[saltSize:], plaintext, []byte(purpose))
}

// Open returns what Close sealed for the same purpose, or ErrSealed.
func (s *Seal) Open(purpose string, sealed []byte) ([]byte, error) {
	plaintext, _, err := s.open(purpose, sealed)
	return plaintext, err
}

// open is Open, and tells whether it was sealed as Close seals now, with the key that seals now.
func (s *Seal) open(purpose string, sealed []byte) (plaintext []byte, current bool, err error) {
	masters := s.masters()
	for _, master := range masters {
		if plaintext, ok := openWith(master, purpose, sealed); ok {
			return plaintext, bytes.Equal(master, masters[0]), nil
		}
	}
	for _, master := range masters { // before there were keys of messages
		aead := newAEAD(subkey(master, "seal:"+purpose))
		if len(sealed) >= nonceSize {
			plaintext, err := aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], []byte(purpose))
			if err == nil {
				return plaintext, false, nil
			}
		}
	}
	return nil, false, ErrSealed
}

func openWith(master []byte, purpose string, sealed []byte) (plaintext []byte, ok bool) {
	if len(sealed) < saltSize+nonceSize {
		return nil, false
	}
	aead := newAEAD(messageKey(master, purpose, sealed[:saltSize]))
	plaintext, err := aead.Open(nil, sealed[saltSize:saltSize+nonceSize], sealed[saltSize+nonceSize:], []byte(purpose))
	return plaintext, err == nil
}

// Derive returns 32 bytes for each master key that only this Seal can compute from input, the sealing key's first.
func (s *Seal) Derive(purpose string, input []byte) [][]byte {
	masters := s.masters()
	derived := make([][]byte, len(masters))
	for i, master := range masters {
		mac := hmac.New(sha256.New, subkey(master, "derive:"+purpose))
		mac.Write(input)
		derived[i] = mac.Sum(nil)
	}
	return derived
}

// messageKey is the key of one message.
func messageKey(master []byte, purpose string, salt []byte) []byte {
	mac := hmac.New(sha256.New, subkey(master, "message:"+purpose))
	mac.Write(salt)
	return mac.Sum(nil)
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // a key of 32 bytes is always right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func subkey(master []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, "wicket "+purpose, 32)
	if err != nil {
		panic(err) // 32 bytes are far below what HKDF allows
	}
	return key
}
