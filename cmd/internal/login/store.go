package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Store keeps who is signed in where, in a file of a folder that its owner alone may read.
type Store struct{ Folder string }

// DefaultStore is that of the commands: below the person's folder for configuration, such as ~/.config/wicket.
func DefaultStore() (Store, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return Store{}, fmt.Errorf("find the folder for configuration: %w", err)
	}
	return Store{Folder: filepath.Join(folder, "wicket")}, nil
}

// signedIn is what is kept of one server.
type signedIn struct {
	ClientID     string    `json:"client_id"`
	AccessToken  string    `json:"access_token"`
	ExpiresAt    time.Time `json:"expires_at"` // of the access token
	RefreshToken string    `json:"refresh_token,omitempty"`
}

// kept is the whole file.
type kept struct {
	Current string              `json:"current"` // the issuer that was signed in to last
	Servers map[string]signedIn `json:"servers"` // by issuer
}

// issuerOr is the issuer that is named, or the one that was signed in to last. It returns ErrNotSignedIn.
func (k *kept) issuerOr(named string) (string, error) {
	if named == "" {
		named = k.Current
	}
	if _, known := k.Servers[named]; !known {
		return "", ErrNotSignedIn
	}
	return named, nil
}

// change runs do on what is kept, and keeps what do has made of it where it returns nil. Commands that run at the same
// time wait for each other: a refresh token works once.
func (s Store) change(do func(k *kept) error) error {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(s.Folder, "login.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }() // which unlocks it
	for err = errInterrupted; errors.Is(err, errInterrupted); {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	before, err := s.read()
	if err != nil {
		return err
	}
	if err := do(before); err != nil {
		return err
	}
	return s.write(before)
}

var errInterrupted error = syscall.EINTR

func (s Store) path() string { return filepath.Join(s.Folder, "login.json") }

func (s Store) read() (*kept, error) {
	k := &kept{Servers: map[string]signedIn{}}
	encoded, err := os.ReadFile(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(encoded, k); err != nil {
		return nil, fmt.Errorf("%s is damaged; delete it and sign in again: %w", s.path(), err)
	}
	if k.Servers == nil {
		k.Servers = map[string]signedIn{}
	}
	return k, nil
}

// write replaces the file as a whole, so that whoever is interrupted leaves the old one.
func (s Store) write(k *kept) (err error) {
	encoded, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(s.Folder, "login.json.") // which only its owner may read
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(append(encoded, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), s.path())
}
