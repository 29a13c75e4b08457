-- What people prove who they are with, besides a password. A table for each kind.

ALTER TABLE users ADD COLUMN two_factor BOOLEAN NOT NULL DEFAULT FALSE;   -- a second step is asked for at sign-in
ALTER TABLE users ADD COLUMN has_webauthn BOOLEAN NOT NULL DEFAULT FALSE; -- a passkey or a hardware key is registered

-- Discoverable, verifies its user: signs in alone.
CREATE TABLE passkeys (
    id                 UUID PRIMARY KEY,
    user_id            UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name               TEXT NOT NULL,
    rp_id              TEXT NOT NULL,
    credential_id      BYTEA NOT NULL UNIQUE,
    public_key         BYTEA NOT NULL, -- COSE
    aaguid             UUID NOT NULL,  -- the model of the authenticator; zeros: not told
    transports         JSONB NOT NULL,
    flags              BIGINT NOT NULL, -- the octet of the authenticator data: user verified, backup eligible, backed up
    sign_count         BIGINT NOT NULL,
    clone_warning_at   TIMESTAMPTZ,     -- when its counter last went back
    attestation_type   TEXT NOT NULL,
    attestation_format TEXT NOT NULL,
    attestation        JSONB NOT NULL,  -- as it came, to be verified again
    last_used_at       TIMESTAMPTZ,
    created_at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- A second step after a password.
CREATE TABLE hardware_keys (
    id                 UUID PRIMARY KEY,
    user_id            UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name               TEXT NOT NULL,
    rp_id              TEXT NOT NULL,
    credential_id      BYTEA NOT NULL UNIQUE,
    public_key         BYTEA NOT NULL,
    aaguid             UUID NOT NULL,
    transports         JSONB NOT NULL,
    flags              BIGINT NOT NULL,
    sign_count         BIGINT NOT NULL,
    clone_warning_at   TIMESTAMPTZ,
    attestation_type   TEXT NOT NULL,
    attestation_format TEXT NOT NULL,
    attestation        JSONB NOT NULL,
    last_used_at       TIMESTAMPTZ,
    created_at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX hardware_keys_user ON hardware_keys (user_id);

CREATE TABLE totps (
    id           UUID PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    secret       BYTEA NOT NULL,            -- sealed with the master key
    confirmed_at TIMESTAMPTZ,               -- until then it counts for nothing
    last_step    BIGINT NOT NULL DEFAULT 0, -- of the last code that was accepted: none works twice
    last_used_at TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX totps_user ON totps (user_id);
CREATE INDEX totps_created_at ON totps (created_at);

CREATE TABLE backup_codes (
    id         UUID PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash  BYTEA NOT NULL, -- an HMAC with the master key
    used_at    TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, code_hash)
);

-- What an app demands of a sign-in: an authentication context class, or nothing.
ALTER TABLE clients ADD COLUMN required_acr TEXT NOT NULL DEFAULT '';
