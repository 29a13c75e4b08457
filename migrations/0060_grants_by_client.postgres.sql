-- The console shows who has signed in to an app lately.

-- brief: made before by CREATE INDEX CONCURRENTLY, as the release notes say
CREATE INDEX IF NOT EXISTS grants_client_newest ON grants (client_id, id);
