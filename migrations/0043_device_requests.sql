-- What devices without a browser have asked for (RFC 8628), by the digest of the device code. A row lives for minutes, and a while
-- longer so that a code that comes late is known.

CREATE TABLE device_requests (
    device_hash     BYTEA PRIMARY KEY,     -- SHA-256
    user_code       BYTEA NOT NULL UNIQUE, -- HMAC of what the person types: a digest would give it away
    client_id       TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    form            JSONB NOT NULL,        -- the parameters
    ip              TEXT NOT NULL,         -- of who asked
    user_agent      TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    status          TEXT NOT NULL,         -- pending, approved or denied
    decided_at      TIMESTAMPTZ,
    user_id         UUID REFERENCES users (id) ON DELETE CASCADE, -- who has decided; the rest is of who has approved
    approved_in     UUID,                  -- the session
    session_version BIGINT,
    scopes          JSONB,
    claims          JSONB,
    apis            JSONB,
    amr             JSONB,
    acr             TEXT,                  -- of the session
    claimed_acr     TEXT,                  -- that the app is told
    auth_time       TIMESTAMPTZ,
    grant_id        UUID,                  -- that the device code was redeemed for
    used_at         TIMESTAMPTZ
);
CREATE INDEX device_requests_client ON device_requests (client_id);
CREATE INDEX device_requests_user ON device_requests (user_id);
CREATE INDEX device_requests_expires_at ON device_requests (expires_at);

-- The app of a device that is signed in without a browser; NULL: a browser.

ALTER TABLE sessions ADD COLUMN device_client_id TEXT REFERENCES clients (id) ON DELETE CASCADE;
-- brief: of a column that is new, in which nothing is found
CREATE INDEX sessions_device_client ON sessions (device_client_id) WHERE device_client_id IS NOT NULL;
