CREATE TRIGGER providers_modified_at BEFORE UPDATE ON providers FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
CREATE TRIGGER external_accounts_modified_at BEFORE UPDATE ON external_accounts FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
