-- Jobs, the record of every attempt, and what attempts logged.
--
-- No foreign keys: each would lock a row of jobs for every run and line of log that is written, and every writer of
-- these tables does so in the transaction that makes the reference true. Text that is compared is COLLATE "C", so that
-- both databases order it by bytes.

CREATE TABLE flyball.jobs (
    id                  uuid        NOT NULL PRIMARY KEY,
    kind                text        COLLATE "C" NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 64),
    queue               text        COLLATE "C" NOT NULL CHECK (octet_length(queue) BETWEEN 1 AND 64),
    -- json, not jsonb: what was given in is given back, key for key and digit for digit.
    args                json        NOT NULL,
    priority            smallint    NOT NULL CHECK (priority >= 0),
    state               text        COLLATE "C" NOT NULL CHECK (state IN (
        'available', 'scheduled', 'running', 'retryable', 'paused', 'succeeded', 'cancelled', 'discarded')),
    attempt             integer     NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures            integer     NOT NULL DEFAULT 0 CHECK (failures >= 0),
    crashes             integer     NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    releases            integer     NOT NULL DEFAULT 0 CHECK (releases >= 0),
    snoozes             integer     NOT NULL DEFAULT 0 CHECK (snoozes >= 0),
    last_chance         boolean     NOT NULL DEFAULT false,
    max_attempts        integer     CHECK (max_attempts > 0),
    timeout_ms          bigint      CHECK (timeout_ms > 0),
    fuel                bigint      CHECK (fuel > 0),
    backoff_base_ms     bigint      CHECK (backoff_base_ms > 0),
    backoff_cap_ms      bigint      CHECK (backoff_cap_ms >= backoff_base_ms),
    created_at          timestamptz NOT NULL,
    scheduled_at        timestamptz NOT NULL,
    finalized_at        timestamptz,
    node_id             uuid,
    lease_token         uuid,
    deadline_at         timestamptz,
    cancel_requested_at timestamptz,
    -- 512 bytes, and for a worker's keys the name of its kind before them.
    unique_key          text        COLLATE "C" CHECK (octet_length(unique_key) BETWEEN 1 AND 640),
    unique_active_key   text        COLLATE "C" CHECK (octet_length(unique_active_key) BETWEEN 1 AND 640),
    parent_id           uuid,
    parent_run_id       uuid,
    root_id             uuid,
    depth               smallint    NOT NULL DEFAULT 0 CHECK (depth >= 0),
    executor_class      text        COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(executor_class) <= 64),
    blocked_by          text        COLLATE "C",
    limit_key           text        COLLATE "C" CHECK (octet_length(limit_key) BETWEEN 1 AND 512),
    schedule_slug       text        COLLATE "C",
    tags                json        NOT NULL DEFAULT '[]',
    metadata            json        NOT NULL DEFAULT '{}' CHECK (octet_length(metadata::text) <= 8192),
    -- A lease is whole or absent.
    CHECK (num_nonnulls(node_id, lease_token, deadline_at) = CASE WHEN state = 'running' THEN 3 ELSE 0 END),
    CHECK ((finalized_at IS NOT NULL) = (state IN ('succeeded', 'cancelled', 'discarded')))
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

-- The claim: it walks from lane to lane (queue, kind, executor_class) and takes the head of each in its order. Jobs
-- that are not due, blocked, or to run alone are not in it, so that they cost a claim nothing.
CREATE INDEX jobs_claim ON flyball.jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND NOT last_chance;
-- The claim of a last chance, and the question whether one waits; nearly always empty.
CREATE INDEX jobs_last_chance ON flyball.jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND last_chance;
-- What waits for something else than a slot: counted by the overview.
CREATE INDEX jobs_blocked ON flyball.jobs (blocked_by, id) WHERE state = 'available' AND blocked_by IS NOT NULL;
-- What a node runs: renewals, the sweep, and the cancels that a node asks for.
CREATE INDEX jobs_running ON flyball.jobs (node_id, id) WHERE state = 'running';
-- The promoter: what is due, and when the next one is.
CREATE INDEX jobs_due ON flyball.jobs (scheduled_at, id) WHERE state IN ('scheduled', 'retryable');
-- What an operator set aside: counted by the overview.
CREATE INDEX jobs_paused ON flyball.jobs (id) WHERE state = 'paused';
-- What has ended, by state and time: retention, and the overview's counts.
CREATE INDEX jobs_finalized ON flyball.jobs (state, finalized_at, id)
    WHERE state IN ('succeeded', 'cancelled', 'discarded');
-- The children of a job.
CREATE INDEX jobs_parent ON flyball.jobs (parent_id, id) WHERE parent_id IS NOT NULL;
-- One job for a key, as long as it has a row.
CREATE UNIQUE INDEX jobs_unique_key ON flyball.jobs (unique_key) WHERE unique_key IS NOT NULL;
-- One job for a key, as long as it has not ended.
CREATE UNIQUE INDEX jobs_unique_active_key ON flyball.jobs (unique_active_key)
    WHERE unique_active_key IS NOT NULL
      AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');

-- One row for each attempt, written when it is claimed and completed once.
CREATE TABLE flyball.job_runs (
    id                uuid        NOT NULL PRIMARY KEY,
    job_id            uuid        NOT NULL,
    attempt           integer     NOT NULL CHECK (attempt > 0),
    node_id           uuid        NOT NULL,
    executor_class    text        COLLATE "C" NOT NULL DEFAULT '',
    component_digest  text        COLLATE "C",
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    outcome           text        COLLATE "C" NOT NULL CHECK (outcome IN (
        'started', 'success', 'error', 'snooze', 'cancelled', 'timeout', 'crashed', 'released')),
    settled_by        text        COLLATE "C" CHECK (settled_by IN ('owner', 'sweep', 'renewal', 'start')),
    late_outcome      text        COLLATE "C",
    late_at           timestamptz,
    error_class       text        COLLATE "C" CHECK (error_class IN (
        'transient', 'permanent', 'validation', 'timeout', 'resource')),
    error_message     text        CHECK (octet_length(error_message) <= 4096),
    error_detail      text        CHECK (octet_length(error_detail) <= 16384),
    output            json,
    duration_ms       bigint,
    cost_micros       bigint,
    enqueued_children integer     NOT NULL DEFAULT 0,
    progress          json,
    fuel_used         bigint,
    cpu_us            bigint,
    peak_memory_bytes bigint,
    http_requests     bigint,
    http_bytes        bigint,
    log_bytes         bigint,
    log_dropped       bigint,
    CHECK (num_nonnulls(finished_at, settled_by) = CASE WHEN outcome = 'started' THEN 0 ELSE 2 END)
) WITH (fillfactor = 70);

-- The attempts of a job, newest first; and no attempt twice.
CREATE UNIQUE INDEX job_runs_attempt ON flyball.job_runs (job_id, attempt);

-- What attempts logged.
CREATE TABLE flyball.run_logs (
    run_id  uuid        NOT NULL,
    seq     integer     NOT NULL,
    at      timestamptz NOT NULL,
    level   text        COLLATE "C" NOT NULL CHECK (level IN ('trace', 'debug', 'info', 'warn', 'error')),
    message text        NOT NULL,
    fields  json,
    PRIMARY KEY (run_id, seq)
);
