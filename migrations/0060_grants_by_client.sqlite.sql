-- The console shows who has signed in to an app lately.

CREATE INDEX grants_client_newest ON grants (client_id, id);
