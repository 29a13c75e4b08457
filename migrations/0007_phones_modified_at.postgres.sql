-- modified_at of phones stays true whoever writes, as that of e-mails does.

CREATE TRIGGER phones_modified_at BEFORE UPDATE ON phones FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
