-- By which way an administrator made a change: api, cli; empty for what people and apps do themselves.

ALTER TABLE audit_trail ADD COLUMN via TEXT NOT NULL DEFAULT '';
