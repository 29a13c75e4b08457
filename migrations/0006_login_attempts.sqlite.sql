-- Every attempt to sign in.

CREATE TABLE login_attempts (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt_time   TIMESTAMPTZ NOT NULL,
    username       TEXT NOT NULL, -- as typed
    user_id        UUID REFERENCES users (id) ON DELETE SET NULL,
    ip_address     TEXT NOT NULL,
    success        BOOLEAN NOT NULL,
    failure_reason TEXT NOT NULL,
    method         TEXT NOT NULL,
    user_agent     TEXT NOT NULL
);
CREATE INDEX login_attempts_username_time ON login_attempts (username, attempt_time);
CREATE INDEX login_attempts_user_time ON login_attempts (user_id, attempt_time);
CREATE INDEX login_attempts_ip_time ON login_attempts (ip_address, attempt_time);
CREATE INDEX login_attempts_time ON login_attempts (attempt_time);
CREATE INDEX login_attempts_success ON login_attempts (success, attempt_time);
