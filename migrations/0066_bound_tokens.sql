-- The key that a code or a refresh token is bound to (RFC 9449): the base64url of its thumbprint (RFC 7638); '' where it
-- is bound to none.

ALTER TABLE codes ADD COLUMN dpop_jkt TEXT NOT NULL DEFAULT '';
ALTER TABLE refresh_tokens ADD COLUMN dpop_jkt TEXT NOT NULL DEFAULT '';

-- Whether all tokens of a client are bound to a key, and whether its proofs must hold a nonce of ours.

ALTER TABLE clients ADD COLUMN dpop_bound BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE clients ADD COLUMN dpop_nonce BOOLEAN NOT NULL DEFAULT FALSE;

-- What a client has promised to keep to, such as fapi2; '': nothing more than every client.

ALTER TABLE clients ADD COLUMN profile TEXT NOT NULL DEFAULT '';
