-- Every attempt to sign in.

CREATE TABLE login_attempts (
    id             BIGINT GENERATED ALWAYS AS IDENTITY,
    attempt_time   TIMESTAMPTZ NOT NULL,
    username       TEXT NOT NULL, -- as typed
    user_id        UUID REFERENCES users (id) ON DELETE SET NULL,
    ip_address     TEXT NOT NULL,
    success        BOOLEAN NOT NULL,
    failure_reason TEXT NOT NULL,
    method         TEXT NOT NULL,
    user_agent     TEXT NOT NULL,
    PRIMARY KEY (attempt_time, id)
) PARTITION BY RANGE (attempt_time);
CREATE TABLE login_attempts_default PARTITION OF login_attempts DEFAULT;
CREATE INDEX login_attempts_username_time ON login_attempts (username, attempt_time);
CREATE INDEX login_attempts_user_time ON login_attempts (user_id, attempt_time);
CREATE INDEX login_attempts_ip_time ON login_attempts (ip_address, attempt_time);
CREATE INDEX login_attempts_time ON login_attempts (attempt_time);
CREATE INDEX login_attempts_success ON login_attempts (success, attempt_time);
