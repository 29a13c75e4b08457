-- Accounts that people have elsewhere and sign in with here.

-- Whom we believe. Those that WICKET_* variables name are not here.
CREATE TABLE providers (
    id            TEXT PRIMARY KEY, -- as it stands in URLs
    kind          TEXT NOT NULL,    -- google, microsoft, github or oidc
    name          TEXT NOT NULL,    -- what people read on the button
    issuer        TEXT NOT NULL,
    client_id     TEXT NOT NULL,
    sealed_secret BYTEA NOT NULL,
    settings      JSONB NOT NULL,
    is_active     BOOLEAN NOT NULL DEFAULT TRUE,
    created_at    TIMESTAMPTZ NOT NULL,
    created_by    TEXT NOT NULL,
    modified_at   TIMESTAMPTZ NOT NULL,
    modified_by   TEXT NOT NULL
);

CREATE TABLE external_accounts (
    id            UUID PRIMARY KEY,
    user_id       UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider      TEXT NOT NULL, -- no reference: it may be one that variables name
    issuer        TEXT NOT NULL, -- of one provider there may be several, as of a Microsoft for every tenant
    subject       TEXT NOT NULL,
    label         TEXT NOT NULL,
    profile       JSONB NOT NULL, -- the claims as they came last
    sealed_tokens BYTEA,
    last_used_at  TIMESTAMPTZ NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    modified_at   TIMESTAMPTZ NOT NULL,
    UNIQUE (provider, subject, issuer)
);
CREATE INDEX external_accounts_user ON external_accounts (user_id);

-- A sign-in that was sent to a provider and may come back, once, in the browser in which it began.
CREATE TABLE upstream_requests (
    state_hash   BYTEA PRIMARY KEY,
    provider     TEXT NOT NULL,
    browser_hash BYTEA NOT NULL,
    user_id      UUID REFERENCES users (id) ON DELETE CASCADE, -- whose account it is to be linked to; NULL: to sign in
    sealed       BYTEA NOT NULL, -- nonce, PKCE verifier and where to go on
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    used_at      TIMESTAMPTZ
);
CREATE INDEX upstream_requests_user ON upstream_requests (user_id);
CREATE INDEX upstream_requests_expires_at ON upstream_requests (expires_at);

-- Who came back and is nobody here yet, until they say whether they have an account.
CREATE TABLE arrivals (
    secret_hash  BYTEA PRIMARY KEY,
    browser_hash BYTEA NOT NULL,
    sealed       BYTEA NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX arrivals_expires_at ON arrivals (expires_at);

-- Where a session came from: a provider that ends its own may end it.
ALTER TABLE sessions ADD COLUMN external_account_id UUID REFERENCES external_accounts (id) ON DELETE SET NULL;
ALTER TABLE sessions ADD COLUMN upstream_sid TEXT;
CREATE INDEX sessions_external_account ON sessions (external_account_id);
