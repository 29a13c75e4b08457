-- In which session somebody added what they sign in with, and what they have shown in a session: whoever verifies the first
-- address of an account keeps that without a tick. NULL: before this was kept.

ALTER TABLE passkeys ADD COLUMN session_id UUID;
ALTER TABLE external_accounts ADD COLUMN session_id UUID;
ALTER TABLE sessions ADD COLUMN factor_id UUID; -- the passkey, security key or app that was shown first
