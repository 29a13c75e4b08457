-- Every sign-in changes when its person was last seen. Where no index holds that, and a page has room, PostgreSQL touches none of
-- the table's indexes for it (HOT).
-- contract: since v0.1 no query looks for people by it
DROP INDEX users_last_login_at;
-- contract: since v0.1 no query looks for people by it
DROP INDEX users_is_active;
ALTER TABLE users SET (fillfactor = 85);
ALTER TABLE sessions SET (fillfactor = 85);
