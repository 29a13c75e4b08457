-- The picture that a person has uploaded of themself, as it is served: made anew from what was sent, and small.
CREATE TABLE pictures (
    user_id    UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL,  -- of content, as its address names it: SHA-256, in hexadecimal digits
    content    BYTEA NOT NULL, -- a JPEG
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX pictures_digest ON pictures (digest);
