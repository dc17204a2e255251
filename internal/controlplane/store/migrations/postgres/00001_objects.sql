-- +goose Up

-- The highest resource_version given out so far.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('resource_version', 0);

-- Times are RFC 3339 in UTC with nine decimals: they sort as text, and keep more than the microseconds of timestamptz.
-- labels and refs are JSON, empty when there are none. Collation "C" orders by bytes, whatever the database's locale.
CREATE TABLE objects (
    id                    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind                  TEXT COLLATE "C" NOT NULL,
    parent                TEXT COLLATE "C" NOT NULL,
    name                  TEXT COLLATE "C" NOT NULL,
    uid                   TEXT             NOT NULL,
    generation            BIGINT           NOT NULL,
    resource_version      BIGINT           NOT NULL,
    labels                TEXT             NOT NULL,
    refs                  TEXT             NOT NULL,
    spec                  TEXT             NOT NULL,
    status                TEXT             NOT NULL,
    created_at            TEXT             NOT NULL,
    updated_at            TEXT             NOT NULL,
    deletion_requested_at TEXT,
    UNIQUE (kind, parent, name)
);

-- What objects.labels says, as rows, for selecting objects by label.
CREATE TABLE object_labels (
    object_id BIGINT           NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    label     TEXT COLLATE "C" NOT NULL,
    value     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (object_id, label)
);

-- What objects.refs says, as rows, for finding who refers to an object.
CREATE TABLE object_references (
    object_id BIGINT           NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    to_kind   TEXT COLLATE "C" NOT NULL,
    to_parent TEXT COLLATE "C" NOT NULL,
    to_name   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (object_id, to_kind, to_parent, to_name)
);
CREATE INDEX object_references_to ON object_references (to_kind, to_parent, to_name, object_id);

CREATE TABLE answers (
    idempotency_key TEXT COLLATE "C" PRIMARY KEY,
    request_hash    TEXT             NOT NULL,
    kind            TEXT             NOT NULL,
    parent          TEXT             NOT NULL,
    name            TEXT             NOT NULL,
    uid             TEXT             NOT NULL,
    created_at      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX answers_created_at ON answers (created_at);

CREATE TABLE audit_entries (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time       TEXT   NOT NULL,
    request_id TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    object     TEXT   NOT NULL,
    uid        TEXT   NOT NULL,
    generation BIGINT NOT NULL,
    change     TEXT   NOT NULL
);

CREATE TABLE tokens (
    name        TEXT COLLATE "C" PRIMARY KEY,
    secret_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    role        TEXT             NOT NULL,
    created_at  TEXT             NOT NULL,
    expires_at  TEXT
);
