-- People are found by how their username, an e-mail address or their full name begins. The first two have an index.

CREATE INDEX profiles_name_prefix ON profiles (lower(name));
