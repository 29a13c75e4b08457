-- A session's next secret: the old one works for some minutes more, until the browser shows that it has got the new one.

ALTER TABLE sessions ADD COLUMN next_secret_hash BYTEA;
ALTER TABLE sessions ADD COLUMN next_secret_at TIMESTAMPTZ;
-- brief: no row is in it yet, so that it takes one pass over the sessions, which are no more than people have devices.
CREATE INDEX sessions_next_secret ON sessions (next_secret_hash) WHERE next_secret_hash IS NOT NULL;
