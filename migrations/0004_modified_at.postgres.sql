-- modified_at stays true whoever writes, an administrator at the SQL prompt included.

CREATE FUNCTION touch_modified_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.modified_at = OLD.modified_at THEN
        NEW.modified_at = clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER users_modified_at BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
CREATE TRIGGER profiles_modified_at BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
CREATE TRIGGER emails_modified_at BEFORE UPDATE ON emails FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
CREATE TRIGGER clients_modified_at BEFORE UPDATE ON clients FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
