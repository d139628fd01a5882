-- Types are TEXT and BIGINT alone: both databases know them, and SQLite keeps JSON as it was written only in TEXT.
-- Instants are milliseconds since 1970.

-- One row. Writers of every daemon line up at it.
CREATE TABLE meta (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    daemon_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    compacted BIGINT NOT NULL,
    last_event BIGINT NOT NULL,
    last_audit BIGINT NOT NULL,
    audit_hash TEXT NOT NULL,
    probe TEXT NOT NULL
);

-- Every declared object, of every kind.
CREATE TABLE resource (
    uid TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    scope TEXT COLLATE "binary" NOT NULL,
    name TEXT COLLATE "binary" NOT NULL,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_revision BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    spec TEXT NOT NULL,
    status TEXT NOT NULL,
    apply_set TEXT,
    owner_uid TEXT,
    owner_kind TEXT,
    owner_name TEXT,
    deleting_since BIGINT,
    restarted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, scope, name)
);
CREATE INDEX resource_owner ON resource (owner_uid) WHERE owner_uid IS NOT NULL;
CREATE INDEX resource_apply_set ON resource (apply_set) WHERE apply_set IS NOT NULL;

-- What objects are selected by.
CREATE TABLE label (
    uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (uid, name)
);
CREATE INDEX label_value ON label (name, value, uid);

-- Which object names which, and where. The target need not be there.
CREATE TABLE reference (
    uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
    path TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_scope TEXT NOT NULL,
    target_name TEXT NOT NULL,
    target_key TEXT
);
CREATE INDEX reference_uid ON reference (uid);
CREATE INDEX reference_target ON reference (target_kind, target_scope, target_name);

-- Every generation of what the user owns.
CREATE TABLE history (
    uid TEXT NOT NULL REFERENCES resource (uid) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    verb TEXT NOT NULL,
    metadata TEXT NOT NULL,
    spec TEXT NOT NULL,
    PRIMARY KEY (uid, generation)
);

-- The change log. A change of an object that is still there is found in the object itself; the last text of one that is
-- gone is kept here.
CREATE TABLE change (
    revision BIGINT NOT NULL PRIMARY KEY,
    created_revision BIGINT NOT NULL,
    uid TEXT NOT NULL,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    removed TEXT
);

-- What happened to objects. Outlives them for a while.
CREATE TABLE event (
    id BIGINT NOT NULL PRIMARY KEY,
    uid TEXT NOT NULL,
    owner_uid TEXT,
    kind TEXT NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    severity TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    times BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    orphaned BIGINT NOT NULL
);
CREATE INDEX event_uid ON event (uid, id);
CREATE INDEX event_owner ON event (owner_uid, id) WHERE owner_uid IS NOT NULL;
CREATE INDEX event_object ON event (kind, scope, name, id);
CREATE INDEX event_orphaned ON event (id) WHERE orphaned = 1;
