-- How an app encrypts the requests that it signs (OpenID Connect Core, section 6.1; RFC 9101, section 6.1). An empty alg: not at all.
ALTER TABLE clients ADD COLUMN request_object_encryption_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN request_object_encryption_enc TEXT NOT NULL DEFAULT '';

-- The keys that they encrypt with, apart from those that sign: each for one algorithm, made when an app first needs it.
CREATE TABLE encryption_keys (
    kid            TEXT PRIMARY KEY, -- RFC 7638 thumbprint
    alg            TEXT NOT NULL,
    sealed_key     BYTEA NOT NULL,   -- PKCS #8, sealed with the master key
    created_at     TIMESTAMPTZ NOT NULL,
    decrypts_until TIMESTAMPTZ -- NULL: it is published, for it has no successor
);
CREATE UNIQUE INDEX encryption_keys_alg ON encryption_keys (alg) WHERE decrypts_until IS NULL;
