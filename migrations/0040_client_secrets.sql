-- While the secret of an app is rotated, the one before is good too, for a while.

ALTER TABLE clients ADD COLUMN previous_secret_hash BYTEA; -- SHA-256
ALTER TABLE clients ADD COLUMN previous_secret_until TIMESTAMPTZ;
