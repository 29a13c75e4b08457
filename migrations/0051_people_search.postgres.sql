-- People are found by how their username, an e-mail address or their full name begins, whatever the database's
-- collation.

-- brief: made before by CREATE INDEX CONCURRENTLY, as the release notes say
CREATE INDEX IF NOT EXISTS users_username_prefix ON users (username_key text_pattern_ops);
-- brief: made before by CREATE INDEX CONCURRENTLY, as the release notes say
CREATE INDEX IF NOT EXISTS emails_address_prefix ON emails (address_key text_pattern_ops);
-- brief: made before by CREATE INDEX CONCURRENTLY, as the release notes say
CREATE INDEX IF NOT EXISTS profiles_name_prefix ON profiles (lower(name) text_pattern_ops);
