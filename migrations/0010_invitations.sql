-- Invitations to make an account, where strangers may not: a link that works once.
CREATE TABLE invitations (
    id          UUID PRIMARY KEY,
    secret_hash BYTEA NOT NULL UNIQUE,
    email       TEXT,                            -- whom it was mailed to, if anybody
    roles       JSONB NOT NULL,                  -- what the newcomer will hold
    is_first    BOOLEAN NOT NULL DEFAULT FALSE,  -- only while nobody is registered
    expires_at  TIMESTAMPTZ NOT NULL,
    used_at     TIMESTAMPTZ,
    used_by     UUID REFERENCES users (id) ON DELETE SET NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    created_by  TEXT NOT NULL
);
CREATE INDEX invitations_expires_at ON invitations (expires_at);
CREATE INDEX invitations_used_by ON invitations (used_by);
