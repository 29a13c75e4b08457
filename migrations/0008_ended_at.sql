-- Upkeep looks for what ended long ago.

CREATE INDEX sessions_ended_at ON sessions (ended_at);
CREATE INDEX grants_ended_at ON grants (ended_at);
