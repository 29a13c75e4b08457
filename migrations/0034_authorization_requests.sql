-- Authorization requests that apps have pushed (RFC 9126), by the digest of their request_uri. A row works once, and is kept for as
-- long as a person may take over the request.

CREATE TABLE pushed_requests (
    hash       BYTEA PRIMARY KEY, -- SHA-256
    client_id  TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    form       JSONB NOT NULL, -- the parameters
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL, -- until then the browser has to come
    used_at    TIMESTAMPTZ
);
CREATE INDEX pushed_requests_client ON pushed_requests (client_id);
CREATE INDEX pushed_requests_expires_at ON pushed_requests (expires_at);

-- Whether a client must push its requests.

ALTER TABLE clients ADD COLUMN require_par BOOLEAN NOT NULL DEFAULT FALSE;

-- What a client may ask for at the authorization endpoint (RFC 7591).

ALTER TABLE clients ADD COLUMN response_types JSONB NOT NULL DEFAULT '["code"]';
