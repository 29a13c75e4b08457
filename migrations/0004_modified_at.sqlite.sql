-- modified_at stays true whoever writes, an administrator at the SQL prompt included.

CREATE TRIGGER users_modified_at AFTER UPDATE ON users WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE users SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
CREATE TRIGGER profiles_modified_at AFTER UPDATE ON profiles WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE profiles SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE user_id = NEW.user_id;
END;
CREATE TRIGGER emails_modified_at AFTER UPDATE ON emails WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE emails SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
CREATE TRIGGER clients_modified_at AFTER UPDATE ON clients WHEN NEW.modified_at = OLD.modified_at
BEGIN
    UPDATE clients SET modified_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE id = NEW.id;
END;
