-- Authorization requests that apps have pushed (RFC 9126), by the digest of their request_uri. A row works once, and is kept for as
-- long as a person may take over the request.

CREATE TABLE pushed_requests (
    hash       BYTEA PRIMARY KEY, -- SHA-256
    client_id  TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    form       JSONB NOT NULL, -- the parameters
    signed     BOOLEAN NOT NULL DEFAULT FALSE, -- as a request object (RFC 9101)
    repeatable BOOLEAN NOT NULL DEFAULT FALSE, -- a request object that the browser has brought
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

-- How a client signs its authorization requests, and where they may be fetched (RFC 9101, OpenID Connect Core, section 6).

ALTER TABLE clients ADD COLUMN request_object_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN request_uris JSONB NOT NULL DEFAULT '[]';
ALTER TABLE clients ADD COLUMN require_signed_request BOOLEAN NOT NULL DEFAULT FALSE;

-- How answers to a client are signed that it wants to be JWTs (JARM).

ALTER TABLE clients ADD COLUMN response_alg TEXT NOT NULL DEFAULT 'RS256';
