-- +goose Up

-- The highest resource_version given out so far.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('resource_version', 0);

-- Times are RFC 3339 in UTC with nine decimals: they sort as text. labels and refs are JSON, empty when there are none.
CREATE TABLE objects (
    id                    INTEGER PRIMARY KEY,
    kind                  TEXT    NOT NULL,
    parent                TEXT    NOT NULL,
    name                  TEXT    NOT NULL,
    uid                   TEXT    NOT NULL,
    generation            INTEGER NOT NULL,
    resource_version      INTEGER NOT NULL,
    labels                TEXT    NOT NULL,
    refs                  TEXT    NOT NULL,
    spec                  TEXT    NOT NULL,
    status                TEXT    NOT NULL,
    created_at            TEXT    NOT NULL,
    updated_at            TEXT    NOT NULL,
    deletion_requested_at TEXT,
    UNIQUE (kind, parent, name)
) STRICT;

-- What objects.labels says, as rows, for selecting objects by label.
CREATE TABLE object_labels (
    object_id INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    label     TEXT    NOT NULL,
    value     TEXT    NOT NULL,
    PRIMARY KEY (object_id, label)
) STRICT, WITHOUT ROWID;

-- What objects.refs says, as rows, for finding who refers to an object.
CREATE TABLE object_references (
    object_id INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    to_kind   TEXT    NOT NULL,
    to_parent TEXT    NOT NULL,
    to_name   TEXT    NOT NULL,
    PRIMARY KEY (object_id, to_kind, to_parent, to_name)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_references_to ON object_references (to_kind, to_parent, to_name, object_id);

CREATE TABLE answers (
    idempotency_key TEXT PRIMARY KEY,
    request_hash    TEXT NOT NULL,
    kind            TEXT NOT NULL,
    parent          TEXT NOT NULL,
    name            TEXT NOT NULL,
    uid             TEXT NOT NULL,
    created_at      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_created_at ON answers (created_at);

CREATE TABLE audit_entries (
    id         INTEGER PRIMARY KEY,
    time       TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    uid        TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    change     TEXT    NOT NULL
) STRICT;

CREATE TABLE tokens (
    name        TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    expires_at  TEXT
) STRICT, WITHOUT ROWID;
