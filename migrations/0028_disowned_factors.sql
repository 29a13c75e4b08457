-- Second factors that an owner disowns by mail, and that were not registered in the session which they disown: they are
-- removed a day later, unless they are used or kept.

ALTER TABLE hardware_keys ADD COLUMN session_id UUID; -- in which it was registered; NULL: before this was kept
ALTER TABLE hardware_keys ADD COLUMN removal_due_at TIMESTAMPTZ;
ALTER TABLE totps ADD COLUMN session_id UUID;
ALTER TABLE totps ADD COLUMN removal_due_at TIMESTAMPTZ;
ALTER TABLE backup_codes ADD COLUMN session_id UUID;
ALTER TABLE backup_codes ADD COLUMN removal_due_at TIMESTAMPTZ;
-- brief: no row is in them yet, and people have a few factors each.
CREATE INDEX hardware_keys_removal_due_at ON hardware_keys (removal_due_at) WHERE removal_due_at IS NOT NULL;
-- brief: likewise.
CREATE INDEX totps_removal_due_at ON totps (removal_due_at) WHERE removal_due_at IS NOT NULL;
-- brief: likewise.
CREATE INDEX backup_codes_removal_due_at ON backup_codes (removal_due_at) WHERE removal_due_at IS NOT NULL;
