package storage

import (
	"errors"
	"strings"

	"github.com/uptrace/bun"
)

// ReadFrom has the reads that may be late answered by another PostgreSQL server, which follows this one: a hot standby.
// It does not connect yet. The errors are Open's.
func (d *Database) ReadFrom(rawURL string) error {
	if d.Kind != Postgres || !strings.HasPrefix(rawURL, "postgres") {
		return errors.New("a second database, to read from, must be a PostgreSQL server that follows the first")
	}
	standby, err := openPostgres(rawURL)
	if err == nil {
		d.standby = standby.reader
	}
	return err
}

// Late runs queries that change nothing, and whose answers may be some seconds old: reports. Nothing that decides
// whether somebody is let in may be asked here, for what ended a moment ago has not ended there yet.
func (d *Database) Late() bun.IDB {
	if d.standby != nil {
		return d.standby
	}
	return d.reader
}
