-- When it was called off that a second factor is removed which its owner had disowned: an owner who disowns that, too,
-- takes the factor back.

ALTER TABLE hardware_keys ADD COLUMN kept_at TIMESTAMPTZ;
ALTER TABLE totps ADD COLUMN kept_at TIMESTAMPTZ;
ALTER TABLE backup_codes ADD COLUMN kept_at TIMESTAMPTZ;
