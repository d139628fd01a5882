-- Sessions of publishers, by the SHA-256 of their id; the id itself is nowhere.
CREATE TABLE publisher (
    id_hash TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX publisher_seen ON publisher (seen_at);

-- The life of objects that are published: by which session, for whom, and where each stands. Lives as long as the object.
CREATE TABLE publication (
    uid TEXT NOT NULL PRIMARY KEY REFERENCES resource (uid) ON DELETE CASCADE,
    publisher TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    inactive_since BIGINT,
    warm_projects TEXT NOT NULL
);
CREATE INDEX publication_publisher ON publication (publisher);
CREATE INDEX publication_state ON publication (state, heartbeat_at);
