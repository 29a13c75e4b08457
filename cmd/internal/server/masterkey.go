package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wicket-id/wicket/storage/seal"
)

// EmbeddedDatabase is the path of the SQLite file; empty for another database.
func (c *Config) EmbeddedDatabase() string { return EmbeddedPath(c.DatabaseURL) }

// EmbeddedPath is the path of the SQLite file at a database URL; empty for another database.
func EmbeddedPath(databaseURL string) string {
	path, embedded := strings.CutPrefix(databaseURL, "sqlite:")
	if !embedded {
		return ""
	}
	return strings.TrimPrefix(path, "//")
}

// MasterKeyPath is where the master key of an embedded database is kept.
func MasterKeyPath(database string) string {
	return strings.TrimSuffix(database, filepath.Ext(database)) + ".key"
}

// masterKey finds the master key where no variable holds it. The database is known to have a place.
func (r *reading) masterKey() {
	c := r.config
	embedded := c.EmbeddedDatabase()
	if c.setting("WICKET_SECRET").IsSet {
		return
	}
	if embedded == "" {
		r.fault("WICKET_SECRET", errors.New("is needed with PostgreSQL: the master key, 32 bytes in base64, "+
			"the same for every replica; make one with: openssl rand -base64 32"))
		return
	}
	key, err := c.masterKeyBeside(embedded)
	if err == nil && key != "" {
		c.Seal, err = seal.Parse(key)
		setting := c.setting("WICKET_SECRET")
		setting.IsSet, setting.Source, setting.File, setting.Note = true, fromFile, MasterKeyPath(embedded), ""
	}
	r.fault("WICKET_SECRET", err)
}

// masterKeyBeside reads the master key in the folder of an embedded database. It is empty where there is neither a
// key nor a database yet.
func (c *Config) masterKeyBeside(database string) (string, error) {
	path := MasterKeyPath(database)
	info, err := os.Stat(path)
	if err == nil {
		if info.Mode().Perm()&0o077 != 0 {
			return "", fmt.Errorf("others may read %s; run: chmod 600 %s", path, path)
		}
		return c.readMasterKey(path)
	} else if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if info, err := os.Stat(database); err == nil && info.Size() > 0 {
		return "", fmt.Errorf("%s is missing, but the database %s exists: put the key back, "+
			"for what it sealed cannot be read without it", path, database)
	}
	return "", nil
}

func (c *Config) readMasterKey(path string) (string, error) {
	content, err := c.readFile(path)
	key := strings.TrimSpace(string(content))
	if err == nil && key == "" {
		err = fmt.Errorf("the master key in %s is empty", path)
	}
	return key, err
}

// PrepareMasterKey makes the master key of an embedded database that is new, in the folder of the database. Elsewhere
// there is one, and it does nothing.
func (c *Config) PrepareMasterKey() error {
	if c.Seal != nil {
		return nil
	}
	path := MasterKeyPath(c.EmbeddedDatabase())
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("WICKET_DATABASE_URL: the folder of the database: %w", err)
	}
	err := makeMasterKey(path)
	if err == nil {
		var key string
		if key, err = c.readMasterKey(path); err == nil {
			c.Seal, err = seal.Parse(key)
		}
	}
	if err != nil {
		return fmt.Errorf("WICKET_SECRET: %w", err)
	}
	return nil
}

// makeMasterKey writes a key whole before it has its name, and links rather than renames it: of two processes that
// start together one makes the key, and both read it.
func makeMasterKey(path string) error {
	folder := filepath.Dir(path)
	file, err := os.CreateTemp(folder, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(seal.NewMasterKey() + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if opened, err := os.Open(folder); err == nil {
		_ = opened.Sync() // so that a power cut keeps the name too
		_ = opened.Close()
	}
	return nil
}
