-- Wrong passwords for names that no user has, by a keyed hash of the name; those that were given longest ago are forgotten.
CREATE TABLE stranger (
    name_hash TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    locked_until BIGINT
);
CREATE INDEX stranger_failed_at ON stranger (failed_at);
