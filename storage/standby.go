package storage

import (
	"errors"
	"strings"

	"github.com/uptrace/bun"
)

// CheckStandby says what is wrong with the URL of a second database, to read from, as CheckURL does.
func CheckStandby(rawURL, standbyURL string) error {
	if !strings.HasPrefix(rawURL, "postgres") || !strings.HasPrefix(standbyURL, "postgres") {
		return errors.New("a second database, to read from, must be a PostgreSQL server that follows the first")
	}
	return CheckURL(standbyURL)
}

// ReadFrom has the reads that may be late answered by another PostgreSQL server, which follows this one: a hot standby.
// It does not connect yet. The errors are those of CheckStandby, which has to allow both URLs.
func (d *Database) ReadFrom(rawURL string) error {
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
