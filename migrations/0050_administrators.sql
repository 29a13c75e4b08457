-- Who may administer this server, and how far. These roles are not those that apps are told of (user_roles).

-- Keys by which programs call the management API. They are shown once.
CREATE TABLE api_keys (
    id           UUID PRIMARY KEY,
    name         TEXT NOT NULL,
    secret_hash  BYTEA NOT NULL UNIQUE,
    hint         TEXT NOT NULL,        -- the last characters of the key, by which people tell keys apart
    permissions  JSONB NOT NULL,       -- what it may do of what its role allows; empty: all of it
    networks     JSONB NOT NULL,       -- from where it works, in CIDR notation; empty: from anywhere
    owner_id     UUID REFERENCES users (id) ON DELETE SET NULL, -- the person who answers for it
    expires_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,          -- to the hour
    revoked_at   TIMESTAMPTZ,
    revoked_by   TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    created_by   TEXT NOT NULL
);
CREATE INDEX api_keys_owner_id ON api_keys (owner_id);

-- An administrative role of a person, of an app that acts by itself, or of a key: one of the three.
CREATE TABLE admin_roles (
    id         UUID PRIMARY KEY,
    user_id    UUID REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT REFERENCES clients (id) ON DELETE CASCADE,
    api_key_id UUID REFERENCES api_keys (id) ON DELETE CASCADE,
    role       TEXT NOT NULL,
    granted_at TIMESTAMPTZ NOT NULL,
    granted_by TEXT NOT NULL,
    ends_at    TIMESTAMPTZ,            -- null: until it is revoked
    revoked_at TIMESTAMPTZ,
    revoked_by TEXT
);
CREATE UNIQUE INDEX admin_roles_user_id ON admin_roles (user_id, role) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX admin_roles_client_id ON admin_roles (client_id, role) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX admin_roles_api_key_id ON admin_roles (api_key_id, role) WHERE revoked_at IS NULL;
CREATE INDEX admin_roles_of_user ON admin_roles (user_id);
CREATE INDEX admin_roles_of_client ON admin_roles (client_id);
CREATE INDEX admin_roles_of_api_key ON admin_roles (api_key_id);

-- brief: apps are few
CREATE INDEX clients_name ON clients (name, id);

-- The administrative role that who accepts an invitation will hold.
ALTER TABLE invitations ADD COLUMN admin_role TEXT;

-- Answers to requests of the management API that may come again: who sends the same Idempotency-Key gets the same answer.
CREATE TABLE idempotency_keys (
    caller        TEXT NOT NULL,
    key           TEXT NOT NULL,
    request       BYTEA NOT NULL,       -- the digest of what was asked for
    status        BIGINT,               -- null: it is being answered
    sealed_answer BYTEA,                -- which may hold a secret that is shown once
    begun_at      TIMESTAMPTZ NOT NULL,
    ends_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_ends_at ON idempotency_keys (ends_at);
