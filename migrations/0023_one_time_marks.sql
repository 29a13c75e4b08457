-- What works once and was used, until it would have expired: client assertions, questions to authenticators, logout tokens of
-- providers. All replicas see a row.
CREATE TABLE one_time_marks (
    hash       BYTEA PRIMARY KEY, -- SHA-256 of purpose and value
    purpose    TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX one_time_marks_expires_at ON one_time_marks (expires_at);
