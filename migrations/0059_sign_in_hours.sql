-- How many attempts to sign in there were in each hour, of those that login_attempts keeps one by one: what the console
-- draws without counting them. Upkeep writes an hour once it is over.
CREATE TABLE sign_in_hours (
    hour    TIMESTAMPTZ NOT NULL,
    outcome TEXT NOT NULL,  -- success, failure
    n       BIGINT NOT NULL,
    PRIMARY KEY (hour, outcome)
);
