-- modified_at of APIs stays true whoever writes, as that of clients does.

CREATE TRIGGER apis_modified_at AFTER UPDATE ON apis WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE apis SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE identifier = NEW.identifier;
END;
