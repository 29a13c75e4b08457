-- What apps and people were refused, and why, for those who mend it: a sample, for some days. No secret is in it.

CREATE TABLE refusals (
    id          UUID PRIMARY KEY,     -- in the order of time
    reference   TEXT NOT NULL,        -- what a person reads out: how request_id begins
    at          TIMESTAMPTZ NOT NULL,
    place       TEXT NOT NULL,        -- where: authorize, token, ...
    client_id   TEXT NOT NULL,        -- the app; empty: none that is registered, or a person alone
    error       TEXT NOT NULL,        -- what was told: invalid_request, ...
    reason      TEXT NOT NULL,        -- why, as a code; empty: the description is all
    description TEXT NOT NULL,
    expected    JSONB NOT NULL,       -- texts: what would have been accepted
    got         JSONB NOT NULL,       -- texts: what was sent, as far as it may be kept
    user_id     UUID REFERENCES users (id) ON DELETE CASCADE,
    ip          TEXT NOT NULL,
    request_id  TEXT NOT NULL
);
CREATE INDEX refusals_reference ON refusals (reference);
CREATE INDEX refusals_at ON refusals (at);
CREATE INDEX refusals_client ON refusals (client_id, id);
CREATE INDEX refusals_user ON refusals (user_id, id);
