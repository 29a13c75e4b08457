-- Browsers in which a person has signed in: each holds a secret of its own. What strangers do to an account elsewhere does
-- not lock it there.
CREATE TABLE known_devices (
    id            UUID PRIMARY KEY,
    user_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash   BYTEA NOT NULL,
    fingerprint   TEXT NOT NULL,
    failures      BIGINT NOT NULL DEFAULT 0, -- wrong passwords and codes typed there in a row
    trusted_until TIMESTAMPTZ,               -- no second step is asked there until then
    last_used_at  TIMESTAMPTZ NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    UNIQUE (secret_hash, user_id)
);
CREATE INDEX known_devices_user ON known_devices (user_id);
CREATE INDEX known_devices_last_used_at ON known_devices (last_used_at);
