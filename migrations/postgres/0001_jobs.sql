-- Jobs, the record of every attempt, and what attempts logged.
--
-- No foreign keys: each would lock a row of jobs for every run and line of log that is written, and every writer of
-- these tables does so in the transaction that makes the reference true. Text that is compared is COLLATE "C", so that
-- both databases order it by bytes.

CREATE TABLE flyball.jobs (
    id                  uuid        NOT NULL PRIMARY KEY,
    kind                text        COLLATE "C" NOT NULL,
    queue               text        COLLATE "C" NOT NULL,
    -- json, not jsonb: what was given in is given back, key for key and digit for digit.
    args                json        NOT NULL,
    -- What a claim's answer is bounded by, without unpacking what it then leaves behind.
    args_bytes          integer     NOT NULL GENERATED ALWAYS AS (octet_length(args::text)) STORED,
    priority            smallint    NOT NULL,
    state               text        COLLATE "C" NOT NULL,
    attempt             integer     NOT NULL DEFAULT 0,
    failures            integer     NOT NULL DEFAULT 0,
    crashes             integer     NOT NULL DEFAULT 0,
    releases            integer     NOT NULL DEFAULT 0,
    snoozes             integer     NOT NULL DEFAULT 0,
    last_chance         boolean     NOT NULL DEFAULT false,
    max_attempts        integer,
    timeout_ms          bigint,
    fuel                bigint,
    backoff_base_ms     bigint,
    backoff_cap_ms      bigint,
    created_at          timestamptz NOT NULL,
    scheduled_at        timestamptz NOT NULL,
    finalized_at        timestamptz,
    node_id             uuid,
    lease_token         uuid,
    deadline_at         timestamptz,
    cancel_requested_at timestamptz,
    unique_key          text        COLLATE "C",
    unique_active_key   text        COLLATE "C",
    parent_id           uuid,
    parent_run_id       uuid,
    root_id             uuid,
    depth               smallint    NOT NULL DEFAULT 0,
    -- A barrier waits for the end of this job: of its parent's run, which asked for both.
    awaited             boolean     NOT NULL DEFAULT false,
    -- The run whose follow-ups this job continues: their barrier enqueued it.
    continues_run_id    uuid,
    executor_class      text        COLLATE "C" NOT NULL DEFAULT '',
    -- The key that this job waits for: all its permits are taken.
    blocked_by          text        COLLATE "C",
    -- The line that a limit by key puts this job into: the limit's name, a colon, and the key.
    limit_key           text        COLLATE "C",
    -- The key, if the job named it itself.
    limit_given         text        COLLATE "C",
    schedule_slug       text        COLLATE "C",
    tags                json        NOT NULL DEFAULT '[]',
    metadata            json        NOT NULL DEFAULT '{}',
    -- What is enqueued if this job is discarded.
    on_discard          json,
    -- Every check costs every statement that writes here, so there are few.
    CONSTRAINT jobs_state CHECK (state IN (
        'available', 'scheduled', 'running', 'retryable', 'paused', 'succeeded', 'cancelled', 'discarded')),
    -- A lease is whole or absent: only what is running has a token.
    CONSTRAINT jobs_lease CHECK (
        num_nonnulls(node_id, lease_token, deadline_at) = CASE WHEN state = 'running' THEN 3 ELSE 0 END),
    CONSTRAINT jobs_end CHECK ((finalized_at IS NOT NULL) = (state IN ('succeeded', 'cancelled', 'discarded'))),
    -- Keys have 512 bytes, and those of workers the name of their kind before them.
    CONSTRAINT jobs_sizes CHECK (
        octet_length(kind) <= 64 AND octet_length(queue) <= 64 AND octet_length(executor_class) <= 64
        AND octet_length(unique_key) <= 640 AND octet_length(unique_active_key) <= 640
        AND octet_length(limit_key) <= 640 AND octet_length(limit_given) <= 512 AND priority >= 0 AND timeout_ms > 0)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

-- The claim: it walks from lane to lane (queue, kind, executor_class) and takes the head of each in its order. Jobs
-- that are not due, blocked, or to run alone are not in it, so that they cost a claim nothing.
CREATE INDEX jobs_claim ON flyball.jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND NOT last_chance;
-- The claim of a last chance, and the question whether one waits; nearly always empty.
CREATE INDEX jobs_last_chance ON flyball.jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND last_chance;
-- What waits for a permit, key by key in the order in which they are given; the overview counts in it.
CREATE INDEX jobs_blocked ON flyball.jobs (blocked_by, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NOT NULL;
-- Who has a permit: what runs, and what may run as soon as somebody claims it.
CREATE INDEX jobs_permits ON flyball.jobs (limit_key)
    WHERE limit_key IS NOT NULL AND (state = 'running' OR state = 'available' AND blocked_by IS NULL);
-- What a node runs: renewals, the sweep, and the cancels that a node asks for.
CREATE INDEX jobs_running ON flyball.jobs (node_id, id) WHERE state = 'running';
-- The promoter: what is due, and when the next one is. The overview counts in it, without the rows.
CREATE INDEX jobs_due ON flyball.jobs (scheduled_at, id) INCLUDE (queue, state)
    WHERE state IN ('scheduled', 'retryable');
-- What an operator set aside: counted by the overview.
CREATE INDEX jobs_paused ON flyball.jobs (id) INCLUDE (queue) WHERE state = 'paused';
-- What has ended, by state and time: retention, and the overview's counts.
CREATE INDEX jobs_finalized ON flyball.jobs (state, finalized_at, id)
    WHERE state IN ('succeeded', 'cancelled', 'discarded');
-- The children of a job.
CREATE INDEX jobs_parent ON flyball.jobs (parent_id, id) WHERE parent_id IS NOT NULL;
-- What has not ended of those that come from one root: counted before they become more.
CREATE INDEX jobs_family ON flyball.jobs (root_id)
    WHERE root_id IS NOT NULL AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
-- The children that a barrier still waits for.
CREATE INDEX jobs_awaited ON flyball.jobs (parent_run_id)
    WHERE awaited AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
-- Continuations that have not ended, which may still read what they continue: retention spares it.
CREATE INDEX jobs_continues ON flyball.jobs (continues_run_id)
    WHERE continues_run_id IS NOT NULL AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
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
    attempt           integer     NOT NULL,
    node_id           uuid        NOT NULL,
    executor_class    text        COLLATE "C" NOT NULL DEFAULT '',
    component_digest  text        COLLATE "C",
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    outcome           text        COLLATE "C" NOT NULL,
    settled_by        text        COLLATE "C",
    late_outcome      text        COLLATE "C",
    late_at           timestamptz,
    error_class       text        COLLATE "C",
    error_message     text,
    error_detail      text,
    output            json,
    -- What an answer with outputs is bounded by, without unpacking those that it does not carry.
    output_bytes      integer     GENERATED ALWAYS AS (octet_length(output::text)) STORED,
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
    CONSTRAINT job_runs_outcome CHECK (outcome IN (
        'started', 'success', 'error', 'snooze', 'cancelled', 'timeout', 'crashed', 'released')),
    CONSTRAINT job_runs_end CHECK (
        num_nonnulls(finished_at, settled_by) = CASE WHEN outcome = 'started' THEN 0 ELSE 2 END),
    CONSTRAINT job_runs_sizes CHECK (octet_length(error_message) <= 4096 AND octet_length(error_detail) <= 16384)
) WITH (fillfactor = 70);

-- The attempts of a job, newest first; and no attempt twice.
CREATE UNIQUE INDEX job_runs_attempt ON flyball.job_runs (job_id, attempt);

-- What attempts logged.
CREATE TABLE flyball.run_logs (
    run_id  uuid        NOT NULL,
    seq     integer     NOT NULL,
    at      timestamptz NOT NULL,
    level   text        COLLATE "C" NOT NULL,
    message text        NOT NULL,
    fields  json,
    PRIMARY KEY (run_id, seq)
);
