-- Apps that are known by a document at the URL that is their client_id (OAuth Client ID Metadata Document).

ALTER TABLE clients ADD COLUMN fresh_until TIMESTAMPTZ;    -- how long the document that was read may be believed
ALTER TABLE clients ADD COLUMN consents_from TIMESTAMPTZ;  -- consents of before were given to what the app was then
