CREATE TRIGGER providers_modified_at AFTER UPDATE ON providers WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE providers SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
CREATE TRIGGER external_accounts_modified_at AFTER UPDATE ON external_accounts WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE external_accounts SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
