-- Whom apps know a person as, where each sector of apps is to know them as somebody else: OpenID Connect Core, section 8.

ALTER TABLE clients ADD COLUMN subject_type TEXT NOT NULL DEFAULT 'public'; -- or pairwise
ALTER TABLE clients ADD COLUMN sector_identifier_uri TEXT NOT NULL DEFAULT '';
-- of an app with pairwise subjects, the host that its sector is known by; follows from its metadata
ALTER TABLE clients ADD COLUMN sector TEXT NOT NULL DEFAULT '';

CREATE TABLE pairwise_subjects (
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sector     TEXT NOT NULL,
    sub        TEXT NOT NULL UNIQUE, -- random: it follows from nothing, and stays when keys are replaced
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, sector)
);
