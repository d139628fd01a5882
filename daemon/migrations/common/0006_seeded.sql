-- Objects that the daemon has brought along: each at most once, so that what somebody deletes does not come back.
CREATE TABLE seeded (
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, scope, name)
);
