-- modified_at of groups stays true whoever writes, as that of clients does.

CREATE TRIGGER groups_modified_at AFTER UPDATE ON groups WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE groups SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
