-- modified_at of phones stays true whoever writes, as that of e-mails does.

CREATE TRIGGER phones_modified_at AFTER UPDATE ON phones WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE phones SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
