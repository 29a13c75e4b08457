-- The secret may come by client_secret_basic and client_secret_post alike. Of an app that is registered already nobody knows
-- whether its operator meant the one method: it keeps that.
ALTER TABLE clients ADD COLUMN any_secret_method BOOLEAN NOT NULL DEFAULT FALSE;
