-- Where an app that nobody vouches for was allowed to send people: hosts, as they were shown on the page.
ALTER TABLE consents ADD COLUMN destinations JSONB NOT NULL DEFAULT '[]';
