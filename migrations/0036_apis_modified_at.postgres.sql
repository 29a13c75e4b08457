-- modified_at of APIs stays true whoever writes, as that of clients does.

CREATE TRIGGER apis_modified_at BEFORE UPDATE ON apis FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
