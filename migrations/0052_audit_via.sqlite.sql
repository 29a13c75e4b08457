-- By which way an administrator made a change: api, cli; empty for what people and apps do themselves.

ALTER TABLE audit_trail ADD COLUMN via TEXT NOT NULL DEFAULT '';
CREATE TRIGGER audit_trail_via_stays BEFORE UPDATE OF via ON audit_trail
BEGIN
    SELECT RAISE(ABORT, 'audit_trail is append-only');
END;
