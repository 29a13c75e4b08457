-- Groups of people: what they may do together, and which apps they may use.

CREATE TABLE groups (
    id          UUID PRIMARY KEY,
    slug        TEXT NOT NULL UNIQUE, -- what apps, commands and rules know it as; it never changes
    name        TEXT NOT NULL,        -- what people read
    source      TEXT NOT NULL,        -- who has made it: here (an operator), declared, or provider:ID
    created_at  TIMESTAMPTZ NOT NULL,
    created_by  TEXT NOT NULL,
    modified_at TIMESTAMPTZ NOT NULL,
    modified_by TEXT NOT NULL
);

-- Who is in a group, once for each source that says so. A membership that has ended stays as history.
CREATE TABLE group_members (
    id        UUID PRIMARY KEY,
    group_id  UUID NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id   UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source    TEXT NOT NULL,
    since     TIMESTAMPTZ NOT NULL,
    added_by  TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    ended_at  TIMESTAMPTZ,
    ended_by  TEXT
);
CREATE UNIQUE INDEX group_members_one_active ON group_members (group_id, user_id, source) WHERE is_active;
CREATE INDEX group_members_user ON group_members (user_id, group_id, is_active); -- all that each sign-in and token asks
CREATE INDEX group_members_group ON group_members (group_id);

-- The roles that everybody in a group holds.
CREATE TABLE group_roles (
    group_id   UUID NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    role_name  TEXT NOT NULL,
    granted_at TIMESTAMPTZ NOT NULL,
    granted_by TEXT NOT NULL,
    PRIMARY KEY (group_id, role_name)
);

-- Who may use an app: everybody, or people of the groups that are listed for it.
ALTER TABLE clients ADD COLUMN access TEXT NOT NULL DEFAULT 'everyone';

CREATE TABLE client_access (
    client_id TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    group_id  UUID NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, group_id)
);
CREATE INDEX client_access_group ON client_access (group_id);

-- What an app is told of the groups of people: under which name, and of which groups.
ALTER TABLE clients ADD COLUMN groups_claim TEXT NOT NULL DEFAULT 'groups';
ALTER TABLE clients ADD COLUMN groups_told TEXT NOT NULL DEFAULT 'all'; -- or access, or prefix:P
