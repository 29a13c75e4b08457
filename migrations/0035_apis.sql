-- APIs that tokens are issued for: each token is good at one of them alone (RFC 8707).
CREATE TABLE apis (
    identifier            TEXT PRIMARY KEY,     -- an absolute URI: the audience of its tokens, as its operator spells it
    compared_as           TEXT NOT NULL UNIQUE, -- the same without what two spellings may differ in
    name                  TEXT NOT NULL,
    scopes                JSONB NOT NULL,       -- [{"name", "words"}]
    token_lifetime        BIGINT NOT NULL,      -- seconds; 0: the server's
    token_type            TEXT NOT NULL,        -- typ of its access tokens: at+jwt, or JWT
    is_open               BOOLEAN NOT NULL,     -- any app may ask for it
    introspection_clients JSONB NOT NULL,       -- who may introspect its tokens
    created_at            TIMESTAMPTZ NOT NULL,
    created_by            TEXT NOT NULL,
    modified_at           TIMESTAMPTZ NOT NULL,
    modified_by           TEXT NOT NULL
);

-- What a person allowed an app at an API, remembered. granted_at of the consent changes with each of them.
CREATE TABLE api_consents (
    user_id         UUID NOT NULL,
    client_id       TEXT NOT NULL,
    api             TEXT NOT NULL REFERENCES apis (identifier) ON DELETE CASCADE,
    granted_scopes  JSONB NOT NULL,
    declined_scopes JSONB NOT NULL,
    PRIMARY KEY (user_id, client_id, api),
    FOREIGN KEY (user_id, client_id) REFERENCES consents (user_id, client_id) ON DELETE CASCADE
);
CREATE INDEX api_consents_api ON api_consents (api);

-- The scopes that a grant gives, by API; those of the server itself stay in scopes.
ALTER TABLE grants ADD COLUMN apis JSONB NOT NULL DEFAULT '{}';

-- The APIs that an app may ask for, besides those that are open to any.
ALTER TABLE clients ADD COLUMN apis JSONB NOT NULL DEFAULT '[]';

-- Whether an app may introspect the access tokens of other apps that are for the server itself, not for an API.
ALTER TABLE clients ADD COLUMN introspects_all BOOLEAN NOT NULL DEFAULT FALSE;
