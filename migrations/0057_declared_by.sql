-- What a configuration file declares: the source is what the file calls itself; empty: no file declares the row, and
-- whoever may, changes it.
ALTER TABLE groups ADD COLUMN declared_by TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN declared_by TEXT NOT NULL DEFAULT '';
ALTER TABLE apis ADD COLUMN declared_by TEXT NOT NULL DEFAULT '';
ALTER TABLE providers ADD COLUMN declared_by TEXT NOT NULL DEFAULT '';

-- An app that is disabled proves nothing and signs nobody in; consents and what it was granted wait until it is enabled.
ALTER TABLE clients ADD COLUMN is_disabled BOOLEAN NOT NULL DEFAULT FALSE;
