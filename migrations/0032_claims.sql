-- Which claims an app gets where, and by which request: the parameter claims of OpenID Connect Core, section 5.5.

ALTER TABLE clients ADD COLUMN id_token_claims TEXT NOT NULL DEFAULT 'scopes'; -- or 'minimal'
ALTER TABLE clients ADD COLUMN userinfo_alg TEXT NOT NULL DEFAULT ''; -- userinfo_signed_response_alg, RFC 7591; '': plain JSON
-- The secret may come by client_secret_basic and client_secret_post alike. Of an app that is registered already nobody knows
-- whether its operator meant the one method: it keeps that.
ALTER TABLE clients ADD COLUMN any_secret_method BOOLEAN NOT NULL DEFAULT FALSE;

ALTER TABLE grants ADD COLUMN claims JSONB; -- asked for by name, and allowed; NULL: none
ALTER TABLE consents ADD COLUMN granted_claims JSONB NOT NULL DEFAULT '[]';
ALTER TABLE consents ADD COLUMN declined_claims JSONB NOT NULL DEFAULT '[]';
