-- How people prove who they are. A password goes with its user.
CREATE TABLE password (
    uid TEXT NOT NULL PRIMARY KEY REFERENCES resource (uid) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until BIGINT
);
