-- How often something that costs the operator money was done in a time: text messages by one person, to one number, from one
-- network, to one country, and all of them. All replicas see a row, and none is lost with Redis.
CREATE TABLE quotas (
    hash       BYTEA PRIMARY KEY, -- keyed, of what is counted: it may be somebody's number
    used       BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL -- it begins anew then
);
CREATE INDEX quotas_expires_at ON quotas (expires_at);
