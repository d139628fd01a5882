-- An audit entry says who asked by which token and in whose name, from which client, and what the rules said of it. `form`
-- tells how its hash was made: 1 as before, 2 over everything here.
ALTER TABLE audit ADD COLUMN form BIGINT NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN row_kind TEXT NOT NULL DEFAULT 'request';
ALTER TABLE audit ADD COLUMN token TEXT;
ALTER TABLE audit ADD COLUMN via TEXT;
ALTER TABLE audit ADD COLUMN session TEXT;
ALTER TABLE audit ADD COLUMN item TEXT;
ALTER TABLE audit ADD COLUMN project TEXT;
ALTER TABLE audit ADD COLUMN decision TEXT;
ALTER TABLE audit ADD COLUMN rule TEXT;
ALTER TABLE audit ADD COLUMN status BIGINT;
ALTER TABLE audit ADD COLUMN duration_us BIGINT;
ALTER TABLE audit ADD COLUMN request_id TEXT;
ALTER TABLE audit ADD COLUMN client TEXT;
CREATE INDEX audit_made_at ON audit (made_at);
CREATE INDEX audit_principal ON audit (principal, sequence);
CREATE INDEX audit_token ON audit (token, sequence);
CREATE INDEX audit_project ON audit (project, sequence);
CREATE INDEX audit_kind ON audit (row_kind, sequence);

-- The last entry that was dropped because it was old enough, and its hash: there the chain that is kept begins.
ALTER TABLE meta ADD COLUMN audit_dropped BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN audit_anchor TEXT NOT NULL DEFAULT '';
