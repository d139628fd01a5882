-- Credentials by the SHA-256 of their text; the text itself is nowhere.
CREATE TABLE token (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    principal TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    project TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX token_principal ON token (principal, name);

-- Who asked for what, each entry chained to the one before.
CREATE TABLE audit (
    sequence BIGINT NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT,
    scope TEXT,
    name TEXT,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
);
