-- Where a login starts that somebody else than the app begins: OpenID Connect Core, section 4.
ALTER TABLE clients ADD COLUMN initiate_login_uri TEXT NOT NULL DEFAULT '';
