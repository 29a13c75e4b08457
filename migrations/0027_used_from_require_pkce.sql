-- The network that a refresh token was used from: a client that lost the answer asks again from there. NULL where the
-- token is unused, or was used by the version before.

ALTER TABLE refresh_tokens ADD COLUMN used_from TEXT;

-- Whether a client that has a secret must use PKCE all the same.

ALTER TABLE clients ADD COLUMN require_pkce BOOLEAN NOT NULL DEFAULT FALSE;
