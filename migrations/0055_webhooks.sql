-- Programs elsewhere are told of what changes: docs/webhooks.md. An event is a line of the audit trail that has a name
-- and a number.

-- Lines that have no number yet. Each is written with its line, while somebody listens.
CREATE TABLE event_outbox (
    entry_id BIGINT PRIMARY KEY,
    entry_at TIMESTAMPTZ NOT NULL
);

-- At most one row.
CREATE TABLE event_feed (
    id            BIGINT PRIMARY KEY,
    is_on         BOOLEAN NOT NULL,      -- events are kept for those who ask for them, though there be no webhook
    last_sequence BIGINT NOT NULL        -- the last number that was given
);

CREATE TABLE events (
    sequence BIGINT PRIMARY KEY,         -- numbered after the commit, one by one: none is left out, and none comes later
    id       UUID NOT NULL,
    type     TEXT NOT NULL,
    at       TIMESTAMPTZ NOT NULL,       -- of the line, and its id: the rest is there
    entry_id BIGINT NOT NULL
);
CREATE INDEX events_type ON events (type, sequence);
CREATE INDEX events_at ON events (at);

CREATE TABLE webhooks (
    id                 TEXT PRIMARY KEY, -- chosen by who makes it
    url                TEXT NOT NULL,
    by_operator        BOOLEAN NOT NULL, -- who wrote the URL has the server's machine, and may mean a private address
    description        TEXT NOT NULL,
    types              JSONB NOT NULL,   -- names of types, "user.*" or "*"
    tells_values       BOOLEAN NOT NULL, -- as the audit trail has them, not their names alone
    sealed_secret      BYTEA NOT NULL,
    secret_since       TIMESTAMPTZ NOT NULL,
    sealed_old_secret  BYTEA,            -- signs beside it until it ends
    old_secret_ends_at TIMESTAMPTZ,
    is_active          BOOLEAN NOT NULL,
    inactive_because   TEXT NOT NULL,    -- empty: somebody wants it so
    created_at         TIMESTAMPTZ NOT NULL,
    created_by         TEXT NOT NULL,
    modified_at        TIMESTAMPTZ NOT NULL,
    modified_by        TEXT NOT NULL
);

-- Webhooks that have answered no attempt well since then. Apart, so that no attempt changes what an administrator sees
-- before they change it.
CREATE TABLE webhook_failures (
    webhook_id TEXT PRIMARY KEY REFERENCES webhooks (id) ON DELETE CASCADE,
    since      TIMESTAMPTZ NOT NULL
);

-- That one webhook is to be told of one event.
CREATE TABLE webhook_deliveries (
    id          UUID PRIMARY KEY,
    webhook_id  TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    sequence    BIGINT NOT NULL REFERENCES events (sequence) ON DELETE CASCADE,
    state       TEXT NOT NULL,
    attempts    BIGINT NOT NULL,
    status      BIGINT NOT NULL,         -- of the last answer; 0: there was none
    answer      TEXT NOT NULL,           -- how that began
    error       TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    next_at     TIMESTAMPTZ NOT NULL,    -- of the next attempt; of one under way, when it counts as lost
    finished_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, sequence);
CREATE INDEX webhook_deliveries_sequence ON webhook_deliveries (sequence);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (state, next_at);
