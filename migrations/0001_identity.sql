-- Who people are. Names of tables and columns follow docs/architecture.md.

CREATE TABLE users (
    id                    UUID PRIMARY KEY,
    username              TEXT NOT NULL,
    username_key          TEXT NOT NULL UNIQUE, -- username as it is compared: folded and normalised in Go
    password_hash         TEXT,                 -- PHC string; NULL: this person has no password
    password_changed_at   TIMESTAMPTZ,
    is_active             BOOLEAN NOT NULL DEFAULT TRUE,
    session_version       BIGINT NOT NULL DEFAULT 1, -- raised to invalidate every session and token at once
    failed_login_attempts BIGINT NOT NULL DEFAULT 0,
    locked_until          TIMESTAMPTZ,
    last_login_at         TIMESTAMPTZ,
    last_login_ip         TEXT,
    created_at            TIMESTAMPTZ NOT NULL,
    created_by            TEXT NOT NULL,
    modified_at           TIMESTAMPTZ NOT NULL,
    modified_by           TEXT NOT NULL
);
CREATE INDEX users_is_active ON users (is_active);
CREATE INDEX users_last_login_at ON users (last_login_at);

CREATE TABLE profiles (
    user_id     UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL DEFAULT '',
    given_name  TEXT NOT NULL DEFAULT '',
    family_name TEXT NOT NULL DEFAULT '',
    middle_name TEXT NOT NULL DEFAULT '',
    nickname    TEXT NOT NULL DEFAULT '',
    profile     TEXT NOT NULL DEFAULT '',
    picture     TEXT NOT NULL DEFAULT '',
    website     TEXT NOT NULL DEFAULT '',
    gender      TEXT NOT NULL DEFAULT '',
    birthdate   TEXT NOT NULL DEFAULT '',
    zoneinfo    TEXT NOT NULL DEFAULT '',
    locale      TEXT NOT NULL DEFAULT '',
    address     JSONB,
    created_at  TIMESTAMPTZ NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE emails (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address     TEXT NOT NULL,
    address_key TEXT NOT NULL, -- address as it is compared, normalised in Go
    is_primary  BOOLEAN NOT NULL DEFAULT FALSE,
    verified_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, address_key)
);
-- Anyone may claim an address; one person can have proved it.
CREATE UNIQUE INDEX emails_verified_address ON emails (address_key) WHERE verified_at IS NOT NULL;
CREATE UNIQUE INDEX emails_one_primary ON emails (user_id) WHERE is_primary;
CREATE INDEX emails_address_key ON emails (address_key);

-- One row per device or browser that is signed in.
CREATE TABLE sessions (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    secret_hash     BYTEA NOT NULL UNIQUE,
    session_version BIGINT NOT NULL, -- the user's, when this session was made
    device_label    TEXT NOT NULL,
    is_mobile       BOOLEAN NOT NULL DEFAULT FALSE,
    user_agent      TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    ip              TEXT NOT NULL,
    amr             JSONB NOT NULL, -- RFC 8176 values
    acr             TEXT NOT NULL,
    auth_time       TIMESTAMPTZ NOT NULL,
    last_seen_at    TIMESTAMPTZ NOT NULL,
    last_seen_ip    TEXT NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    end_reason      TEXT,
    created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, ended_at);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
