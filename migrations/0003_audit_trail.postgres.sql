-- The ledger. Append-only: the database itself refuses to change or delete a row;
-- only the reference to an erased person is emptied, and old partitions are dropped whole.

CREATE TABLE audit_trail (
    id         BIGINT GENERATED ALWAYS AS IDENTITY,
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
    request_id TEXT NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE audit_trail_default PARTITION OF audit_trail DEFAULT;
CREATE INDEX audit_trail_entity ON audit_trail (entity, entity_id, at);
CREATE INDEX audit_trail_user ON audit_trail (user_id, at);
CREATE INDEX audit_trail_action ON audit_trail (action, at);
CREATE INDEX audit_trail_session ON audit_trail (session_id);

CREATE FUNCTION audit_trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.user_id IS NULL
       AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id' THEN
        RETURN NEW; -- ON DELETE SET NULL
    END IF;
    RAISE EXCEPTION 'audit_trail is append-only';
END $$;
CREATE TRIGGER audit_trail_append_only BEFORE UPDATE OR DELETE ON audit_trail
    FOR EACH ROW EXECUTE FUNCTION audit_trail_is_append_only();
