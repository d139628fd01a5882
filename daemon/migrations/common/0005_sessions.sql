-- When a server was last used, and when it was last woken. Lives as long as the server.
CREATE TABLE server_activity (
    uid TEXT NOT NULL PRIMARY KEY REFERENCES resource (uid) ON DELETE CASCADE,
    last_used_at BIGINT,
    wake_at BIGINT
);

-- What a server last listed, for those who ask while it is suspended.
CREATE TABLE server_surface (
    uid TEXT NOT NULL PRIMARY KEY REFERENCES resource (uid) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    list TEXT NOT NULL
);

-- Sessions of clients with the gateway, by the SHA-256 of their id; the id itself is nowhere.
CREATE TABLE gateway_session (
    id_hash TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    target TEXT NOT NULL,
    protocol TEXT NOT NULL,
    client_info TEXT NOT NULL,
    client_capabilities TEXT NOT NULL,
    log_level TEXT,
    subscriptions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX gateway_session_target ON gateway_session (target, created_at);
CREATE INDEX gateway_session_used ON gateway_session (last_used_at);
