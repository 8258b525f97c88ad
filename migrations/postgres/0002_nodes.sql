-- The nodes, what they serve, and what one of them at a time does.

-- One row for each life of a host process. Whoever claims holds the row FOR KEY SHARE, whoever marks it lost FOR
-- UPDATE: so no claim commits after its node was marked.
CREATE TABLE flyball.nodes (
    id           uuid        NOT NULL PRIMARY KEY,
    name         text        NOT NULL,
    pid          bigint      NOT NULL,
    version      text        NOT NULL,
    started_at   timestamptz NOT NULL,
    -- The last renewal, and the lease from then on.
    renewed_at   timestamptz NOT NULL,
    lease_ms     bigint      NOT NULL CHECK (lease_ms > 0),
    expires_at   timestamptz,
    steady_since timestamptz,
    -- Set by a sweep or by the node's own leaving: from then on it neither claims nor renews.
    lost_at      timestamptz,
    -- Set too if it left in order.
    left_at      timestamptz CHECK (left_at IS NULL OR lost_at IS NOT NULL),
    serves       json        NOT NULL DEFAULT '{}',
    kinds        json        NOT NULL DEFAULT '{}',
    -- How long it keeps what has ended; null, if it takes no part in deleting that.
    retention    json,
    concurrency  integer     NOT NULL,
    in_flight    integer     NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- The flags of queues; a queue without a row is not paused.
CREATE TABLE flyball.queues (
    queue  text    COLLATE "C" NOT NULL PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false
);

-- Kinds as nodes published them last, and their flags; a kind without a row is not paused.
CREATE TABLE flyball.kinds (
    kind         text        COLLATE "C" NOT NULL PRIMARY KEY,
    summary      text        NOT NULL DEFAULT '',
    args_schema  json,
    defaults     json        NOT NULL DEFAULT '{}',
    paused       boolean     NOT NULL DEFAULT false,
    published_at timestamptz
);

-- The leases of activities that one node at a time carries out.
CREATE TABLE flyball.maintenance (
    name       text        COLLATE "C" NOT NULL PRIMARY KEY,
    node_id    uuid        NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
