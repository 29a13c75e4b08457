-- Every sign-in changes when its person was last seen; an index that nothing asks need not follow.
-- contract: since v0.1 no query looks for people by it
DROP INDEX users_last_login_at;
-- contract: since v0.1 no query looks for people by it
DROP INDEX users_is_active;
