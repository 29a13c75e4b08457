-- The ledger. Append-only: the database itself refuses to change a row, and to delete one that is younger than a week;
-- only the reference to an erased person is emptied.

CREATE TABLE audit_trail (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         TIMESTAMPTZ NOT NULL,
    entity     TEXT NOT NULL,
    entity_id  TEXT NOT NULL,
    action     TEXT NOT NULL,
    old_values JSONB,
    new_values JSONB,
    user_id    UUID REFERENCES users (id) ON DELETE SET NULL, -- whose account it is about
    actor      TEXT NOT NULL,                                 -- who did it
    ip         TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    session_id TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE INDEX audit_trail_entity ON audit_trail (entity, entity_id, at);
CREATE INDEX audit_trail_user ON audit_trail (user_id, at);
CREATE INDEX audit_trail_action ON audit_trail (action, at);
CREATE INDEX audit_trail_session ON audit_trail (session_id);
CREATE INDEX audit_trail_at ON audit_trail (at);

CREATE TRIGGER audit_trail_no_update
    BEFORE UPDATE OF id, at, entity, entity_id, action, old_values, new_values, actor, ip, user_agent, session_id, request_id ON audit_trail
BEGIN
    SELECT RAISE(ABORT, 'audit_trail is append-only');
END;
CREATE TRIGGER audit_trail_user_only_emptied
    BEFORE UPDATE OF user_id ON audit_trail WHEN NEW.user_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'audit_trail is append-only');
END;
CREATE TRIGGER audit_trail_no_delete
    BEFORE DELETE ON audit_trail WHEN OLD.at > strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-7 days')
BEGIN
    SELECT RAISE(ABORT, 'audit_trail is append-only');
END;
