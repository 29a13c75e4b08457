-- How what an app is told is encrypted for it (RFC 7516), and introspection answers that are JWTs (RFC 9701). An empty alg:
-- not at all.

ALTER TABLE clients ADD COLUMN id_token_encryption_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN id_token_encryption_enc TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN userinfo_encryption_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN userinfo_encryption_enc TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN response_encryption_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN response_encryption_enc TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN introspection_alg TEXT NOT NULL DEFAULT ''; -- empty: RS256, where the app asks for a JWT
ALTER TABLE clients ADD COLUMN introspection_encryption_alg TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN introspection_encryption_enc TEXT NOT NULL DEFAULT '';

-- whether the app's logout tokens were encrypted when the session ended, where the app is deleted since
ALTER TABLE logout_deliveries ADD COLUMN is_encrypted BOOLEAN NOT NULL DEFAULT FALSE;
