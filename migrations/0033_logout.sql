-- How apps are told that a person has signed out: OpenID Connect Back-Channel Logout, Front-Channel Logout.

ALTER TABLE clients ADD COLUMN backchannel_logout_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN backchannel_logout_session_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE clients ADD COLUMN frontchannel_logout_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN frontchannel_logout_session_required BOOLEAN NOT NULL DEFAULT FALSE;

-- One app that is to be told of the end of one session. Nothing is referred to: the person and the app may be deleted
-- before it has been told.
CREATE TABLE logout_deliveries (
    id           UUID PRIMARY KEY,
    session_id   UUID NOT NULL,
    user_id      UUID NOT NULL,
    client_id    TEXT NOT NULL,
    sub          TEXT NOT NULL, -- whom the app knows the person as
    uri          TEXT NOT NULL, -- as it was registered when the session ended, where the app is deleted since
    by_operator  BOOLEAN NOT NULL, -- who registered it: an app that registers itself is told at public addresses alone
    alg          TEXT NOT NULL, -- that signs for the app, in the same way
    state        TEXT NOT NULL, -- pending, sending, delivered or failed
    attempts     BIGINT NOT NULL DEFAULT 0,
    last_error   TEXT NOT NULL DEFAULT '',
    created_at   TIMESTAMPTZ NOT NULL,
    next_at      TIMESTAMPTZ NOT NULL, -- of the next attempt; of one under way, when it counts as lost
    delivered_at TIMESTAMPTZ
);
CREATE INDEX logout_deliveries_session ON logout_deliveries (session_id);
CREATE INDEX logout_deliveries_created_at ON logout_deliveries (created_at);
