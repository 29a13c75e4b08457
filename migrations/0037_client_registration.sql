-- Apps that register themselves (RFC 7591).

-- By whom a client was registered: 'operator', 'token' (by an initial access token of the operator's) or 'open' (by anybody).
ALTER TABLE clients ADD COLUMN origin TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE clients ADD COLUMN registration_hash BYTEA; -- SHA-256 of its registration access token
ALTER TABLE clients ADD COLUMN registration_policy JSONB; -- what it may be, also when it changes its metadata
ALTER TABLE clients ADD COLUMN application_type TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN contacts JSONB NOT NULL DEFAULT '[]';
ALTER TABLE clients ADD COLUMN software_id TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN software_version TEXT NOT NULL DEFAULT '';

-- What lets an app register itself where not everybody may.
CREATE TABLE initial_access_tokens (
    id         UUID PRIMARY KEY,
    hash       BYTEA NOT NULL UNIQUE, -- SHA-256
    name       TEXT NOT NULL,         -- what it is for, as its operator says
    uses_left  BIGINT NOT NULL,
    policy     JSONB NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL
);
