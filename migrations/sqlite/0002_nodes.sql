-- The nodes, what they serve, and what one of them at a time does.

-- One row for each life of a host process. There is one writer, so no claim
-- commits after its node was marked lost.
CREATE TABLE nodes (
    id           text        NOT NULL PRIMARY KEY,
    name         text        NOT NULL,
    pid          integer     NOT NULL,
    version      text        NOT NULL,
    started_at   integer     NOT NULL,
    -- The last renewal; there is no lease on SQLite, so nothing expires.
    renewed_at   integer     NOT NULL,
    lease_ms     integer     NOT NULL,
    expires_at   integer,
    steady_since integer,
    -- Set by the start of the next node or by its own leaving: from then on it neither claims nor renews.
    lost_at      integer,
    -- Set too if it left in order.
    left_at      integer     CHECK (left_at IS NULL OR lost_at IS NOT NULL),
    serves       text        NOT NULL DEFAULT '{}',
    kinds        text        NOT NULL DEFAULT '{}',
    -- How long it keeps what has ended; null, if it takes no part in deleting that.
    retention    text,
    concurrency  integer     NOT NULL,
    in_flight    integer     NOT NULL DEFAULT 0
) STRICT;

-- The flags of queues; a queue without a row is not paused.
CREATE TABLE queues (
    queue  text    NOT NULL PRIMARY KEY,
    paused integer NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))
) STRICT;

-- Kinds as nodes published them last, and their flags; a kind without a row is not paused.
CREATE TABLE kinds (
    kind         text        NOT NULL PRIMARY KEY,
    summary      text        NOT NULL DEFAULT '',
    args_schema  text,
    defaults     text        NOT NULL DEFAULT '{}',
    paused       integer     NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    published_at integer
) STRICT;

-- The leases of activities that one node at a time carries out.
CREATE TABLE maintenance (
    name       text        NOT NULL PRIMARY KEY,
    node_id    text        NOT NULL,
    expires_at integer     NOT NULL
) STRICT;
