-- The rest of who people are: phones, the links and codes that prove things, roles, attempts to sign in.

ALTER TABLE users ADD COLUMN erase_at TIMESTAMPTZ; -- the person asked to be erased, and may undo it until then
CREATE INDEX users_erase_at ON users (erase_at);

CREATE TABLE phones (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number      TEXT NOT NULL, -- E.164
    is_primary  BOOLEAN NOT NULL DEFAULT FALSE,
    verified_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL,
    UNIQUE (user_id, number)
);
CREATE UNIQUE INDEX phones_verified_number ON phones (number) WHERE verified_at IS NOT NULL;
CREATE UNIQUE INDEX phones_one_primary ON phones (user_id) WHERE is_primary;

-- A secret that was sent to a person, to prove that they can read what is sent there. Single use.
CREATE TABLE proofs (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose     TEXT NOT NULL,         -- verify_email, verify_phone, unlock, not_me
    email_id    UUID REFERENCES emails (id) ON DELETE CASCADE,
    phone_id    UUID REFERENCES phones (id) ON DELETE CASCADE,
    session_id  UUID REFERENCES sessions (id) ON DELETE CASCADE,
    secret_hash BYTEA NOT NULL UNIQUE, -- SHA-256 of 256 random bits, or for a typed code an HMAC with the master key
    tries       BIGINT NOT NULL DEFAULT 0,
    expires_at  TIMESTAMPTZ NOT NULL,
    used_at     TIMESTAMPTZ,
    used_ip     TEXT,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX proofs_user ON proofs (user_id, purpose, created_at);
CREATE INDEX proofs_email ON proofs (email_id);
CREATE INDEX proofs_phone ON proofs (phone_id);
CREATE INDEX proofs_session ON proofs (session_id);
CREATE INDEX proofs_expires_at ON proofs (expires_at);

CREATE TABLE password_reset_tokens (
    id         UUID PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ,
    reset_ip   TEXT NOT NULL, -- from where it was asked for
    created_at TIMESTAMPTZ NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX password_reset_tokens_user ON password_reset_tokens (user_id);
CREATE INDEX password_reset_tokens_expires_at ON password_reset_tokens (expires_at);
CREATE INDEX password_reset_tokens_used_at ON password_reset_tokens (used_at);

-- Who may do what. A role that was taken back stays as history.
CREATE TABLE user_roles (
    id          UUID PRIMARY KEY,
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_name   TEXT NOT NULL,
    assigned_at TIMESTAMPTZ NOT NULL,
    assigned_by TEXT NOT NULL,
    is_active   BOOLEAN NOT NULL DEFAULT TRUE,
    revoked_at  TIMESTAMPTZ,
    revoked_by  TEXT
);
CREATE UNIQUE INDEX user_roles_one_active ON user_roles (user_id, role_name) WHERE is_active;
CREATE INDEX user_roles_user ON user_roles (user_id);
CREATE INDEX user_roles_role_name ON user_roles (role_name);
CREATE INDEX user_roles_active ON user_roles (is_active);
CREATE INDEX user_roles_assigned_at ON user_roles (assigned_at);
