package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// CheckURL says what is wrong with a database URL, as far as that shows without the database. The errors say what to
// write instead and never repeat a password.
func CheckURL(rawURL string) error {
	path, isFile := strings.CutPrefix(rawURL, "sqlite:")
	switch {
	case isFile:
		return checkFile(strings.TrimPrefix(path, "//"))
	case strings.HasPrefix(rawURL, "postgres:"), strings.HasPrefix(rawURL, "postgresql:"):
		_, _, _, err := parsePostgres(rawURL)
		return err
	}
	return errors.New(`must begin with "sqlite:" or "postgres://"`)
}

// checkFile says what is wrong with the path of an SQLite database. Its folder may be yet to be made.
func checkFile(path string) error {
	if path == "" {
		return errors.New(`"sqlite:" needs the path of a file, for example sqlite:wicket-data/wicket.db`)
	}
	if strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return fmt.Errorf("%q is not the path of a file: what Wicket keeps must outlive it", path)
	}
	folder := filepath.Dir(path)
	info, err := os.Stat(folder)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(folder) != folder {
		folder = filepath.Dir(folder)
		info, err = os.Stat(folder)
	}
	switch {
	case err != nil:
		return fmt.Errorf("the folder of the database: %w", err)
	case !info.IsDir():
		return fmt.Errorf("the folder of the database: %s is not a folder", folder)
	case unix.Access(folder, unix.W_OK|unix.X_OK) != nil:
		return fmt.Errorf("the folder of the database: nothing can be written in %s", folder)
	}
	if info, err := os.Stat(path); err == nil && (info.IsDir() || unix.Access(path, unix.R_OK|unix.W_OK) != nil) {
		return fmt.Errorf("the database %s cannot be read and written", path)
	}
	return nil
}

const (
	// poolSize is the parameter of the URL that says how many connections there may be at once, by the name that pgx's own
	// pool has for it.
	poolSize = "pool_max_conns"
	// queryTimeout is the one that says how long a query may take. PostgreSQL knows it too, but PgBouncer refuses to pass
	// it on, and it would end migrations; so it is ours to hold.
	queryTimeout = "statement_timeout"
)

// parsePostgres reads a PostgreSQL URL.
func parsePostgres(rawURL string) (config *pgx.ConnConfig, size int, timeout time.Duration, err error) {
	if config, err = pgx.ParseConfig(rawURL); err != nil {
		// pgx hides the password in its message, but only where it could parse the URL.
		if file := (*fs.PathError)(nil); errors.As(err, &file) {
			return nil, 0, 0, fmt.Errorf("a file that it names cannot be read: %w", file)
		}
		return nil, 0, 0, errors.New(
			"is not a valid PostgreSQL URL, for example postgres://wicket:PASSWORD@localhost:5432/wicket",
		)
	}
	size = max(16, 4*runtime.NumCPU())
	if text, given := config.RuntimeParams[poolSize]; given {
		if size, err = strconv.Atoi(text); err != nil || size < minPool {
			return nil, 0, 0, fmt.Errorf(
				"%s must be a number of connections, at least %d, not %q", poolSize, minPool, text,
			)
		}
		delete(config.RuntimeParams, poolSize)
	}
	timeout = 30 * time.Second
	if text, given := config.RuntimeParams[queryTimeout]; given {
		if timeout, err = time.ParseDuration(text); err != nil || timeout < minTimeout {
			return nil, 0, 0, fmt.Errorf(
				"%s must be a duration such as 10s, at least %s, not %q", queryTimeout, minTimeout, text,
			)
		}
		delete(config.RuntimeParams, queryTimeout)
	}
	// What is prepared, prepared.go says; everything else is asked in one round trip, so that PgBouncer in transaction
	// mode is fine.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "wicket"
	}
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["standard_conforming_strings"] = "on" // bun's quoting counts on it
	return config, size, timeout, nil
}

const (
	minPool    = 4 // jobs and requests must not wait for each other
	minTimeout = 100 * time.Millisecond
)
