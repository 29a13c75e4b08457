-- What apps may know, and what was promised to them.

CREATE TABLE clients (
    id                        TEXT PRIMARY KEY,
    name                      TEXT NOT NULL,
    auth_method               TEXT NOT NULL, -- token_endpoint_auth_method, RFC 7591
    secret_hash               BYTEA,         -- SHA-256 of a secret of 256 random bits
    jwks                      JSONB,
    jwks_uri                  TEXT NOT NULL DEFAULT '',
    grant_types               JSONB NOT NULL,
    redirect_uris             JSONB NOT NULL,
    post_logout_redirect_uris JSONB NOT NULL,
    allowed_origins           JSONB NOT NULL,
    scopes                    JSONB NOT NULL,
    id_token_alg              TEXT NOT NULL,
    is_trusted                BOOLEAN NOT NULL DEFAULT FALSE, -- no consent page
    logo_uri                  TEXT NOT NULL DEFAULT '',
    client_uri                TEXT NOT NULL DEFAULT '',
    policy_uri                TEXT NOT NULL DEFAULT '',
    tos_uri                   TEXT NOT NULL DEFAULT '',
    created_at                TIMESTAMPTZ NOT NULL,
    created_by                TEXT NOT NULL,
    modified_at               TIMESTAMPTZ NOT NULL,
    modified_by               TEXT NOT NULL
);

-- What a person allowed an app, remembered.
CREATE TABLE consents (
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id       TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    granted_scopes  JSONB NOT NULL,
    declined_scopes JSONB NOT NULL,
    granted_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_client ON consents (client_id);

-- One authorization of one app on one device: the family that a code, its refresh tokens and its access tokens belong to.
CREATE TABLE grants (
    id              UUID PRIMARY KEY,
    user_id         UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id       TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    session_id      UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    session_version BIGINT NOT NULL,
    scopes          JSONB NOT NULL,
    auth_time       TIMESTAMPTZ NOT NULL,
    acr             TEXT NOT NULL,
    amr             JSONB NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL, -- the absolute end of the family
    ended_at        TIMESTAMPTZ,
    end_reason      TEXT
);
CREATE INDEX grants_user ON grants (user_id);
CREATE INDEX grants_client ON grants (client_id);
CREATE INDEX grants_session ON grants (session_id);
CREATE INDEX grants_expires_at ON grants (expires_at);

CREATE TABLE codes (
    hash           BYTEA PRIMARY KEY, -- SHA-256
    grant_id       UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL, -- RFC 7636, S256 only; '' where the client did not use PKCE
    nonce          TEXT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    expires_at     TIMESTAMPTZ NOT NULL,
    used_at        TIMESTAMPTZ
);
CREATE INDEX codes_grant ON codes (grant_id);
CREATE INDEX codes_expires_at ON codes (expires_at);

CREATE TABLE refresh_tokens (
    hash           BYTEA PRIMARY KEY, -- SHA-256
    grant_id       UUID NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    created_at     TIMESTAMPTZ NOT NULL,
    expires_at     TIMESTAMPTZ NOT NULL,
    used_at        TIMESTAMPTZ,
    successor_hash BYTEA
);
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- Access tokens are not stored; those that were revoked one by one are, until they would have expired.
CREATE TABLE revoked_tokens (
    jti        TEXT PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX revoked_tokens_expires_at ON revoked_tokens (expires_at);

-- Which apps a session signed in to: whom logout must tell.
CREATE TABLE participations (
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX participations_client ON participations (client_id);

CREATE TABLE signing_keys (
    kid             TEXT PRIMARY KEY, -- RFC 7638 thumbprint
    alg             TEXT NOT NULL,
    sealed_key      BYTEA NOT NULL,   -- PKCS #8, sealed with the master key
    created_at      TIMESTAMPTZ NOT NULL,
    signs_from      TIMESTAMPTZ NOT NULL,
    published_until TIMESTAMPTZ -- NULL: as long as no successor signs
);
CREATE INDEX signing_keys_alg ON signing_keys (alg, signs_from);
