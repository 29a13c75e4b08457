-- modified_at of groups stays true whoever writes, as that of clients does.

CREATE TRIGGER groups_modified_at BEFORE UPDATE ON groups FOR EACH ROW EXECUTE FUNCTION touch_modified_at();
