-- Jobs, the record of every attempt, and what attempts logged.
--
-- No foreign keys, as on PostgreSQL: every writer of these tables writes in the transaction that makes the reference
-- true. Instants are microseconds since 1970, UTC; ids are text, as JSON carries them; flags are 0 and 1.

CREATE TABLE jobs (
    id                  text        NOT NULL PRIMARY KEY,
    kind                text        NOT NULL,
    queue               text        NOT NULL,
    args                text        NOT NULL,
    -- What a claim's answer is bounded by.
    args_bytes          integer     NOT NULL GENERATED ALWAYS AS (octet_length(args)) VIRTUAL,
    priority            integer     NOT NULL,
    state               text        NOT NULL,
    attempt             integer     NOT NULL DEFAULT 0,
    failures            integer     NOT NULL DEFAULT 0,
    crashes             integer     NOT NULL DEFAULT 0,
    releases            integer     NOT NULL DEFAULT 0,
    snoozes             integer     NOT NULL DEFAULT 0,
    last_chance         integer     NOT NULL DEFAULT 0 CHECK (last_chance IN (0, 1)),
    max_attempts        integer,
    timeout_ms          integer,
    fuel                integer,
    backoff_base_ms     integer,
    backoff_cap_ms      integer,
    created_at          integer     NOT NULL,
    scheduled_at        integer     NOT NULL,
    finalized_at        integer,
    node_id             text,
    lease_token         text,
    deadline_at         integer,
    cancel_requested_at integer,
    unique_key          text,
    unique_active_key   text,
    parent_id           text,
    parent_run_id       text,
    root_id             text,
    depth               integer     NOT NULL DEFAULT 0,
    -- A barrier waits for the end of this job: of its parent's run, which asked for both.
    awaited             integer     NOT NULL DEFAULT 0,
    -- The run whose follow-ups this job continues: their barrier enqueued it.
    continues_run_id    text,
    executor_class      text        NOT NULL DEFAULT '',
    -- The key that this job waits for: all its permits are taken.
    blocked_by          text,
    -- The line that a limit by key puts this job into: the limit's name, a colon, and the key.
    limit_key           text,
    -- The key, if the job named it itself.
    limit_given         text,
    schedule_slug       text,
    tags                text        NOT NULL DEFAULT '[]',
    metadata            text        NOT NULL DEFAULT '{}',
    -- What is enqueued if this job is discarded.
    on_discard          text,
    -- Every check costs every statement that writes here, so there are few.
    CONSTRAINT jobs_state CHECK (state IN (
        'available', 'scheduled', 'running', 'retryable', 'paused', 'succeeded', 'cancelled', 'discarded')),
    -- A lease is whole or absent: only what is running has a token.
    CONSTRAINT jobs_lease CHECK (
        (node_id IS NOT NULL) + (lease_token IS NOT NULL) + (deadline_at IS NOT NULL)
            = CASE WHEN state = 'running' THEN 3 ELSE 0 END),
    CONSTRAINT jobs_end CHECK ((finalized_at IS NOT NULL) = (state IN ('succeeded', 'cancelled', 'discarded'))),
    -- Keys have 512 bytes, and those of workers the name of their kind before them.
    CONSTRAINT jobs_sizes CHECK (
        octet_length(kind) <= 64 AND octet_length(queue) <= 64 AND octet_length(executor_class) <= 64
        AND octet_length(unique_key) <= 640 AND octet_length(unique_active_key) <= 640
        AND octet_length(limit_key) <= 640 AND octet_length(limit_given) <= 512 AND priority >= 0 AND timeout_ms > 0)
) STRICT;

-- The claim: it walks from lane to lane (queue, kind, executor_class) and takes the head of each in its order. Jobs
-- that are not due, blocked, or to run alone are not in it, so that they cost a claim nothing.
CREATE INDEX jobs_claim ON jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND NOT last_chance;
-- The claim of a last chance, and the question whether one waits; nearly always empty.
CREATE INDEX jobs_last_chance ON jobs (queue, kind, executor_class, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NULL AND last_chance;
-- What waits for a permit, key by key in the order in which they are given; the overview counts in it.
CREATE INDEX jobs_blocked ON jobs (blocked_by, priority, scheduled_at, id)
    WHERE state = 'available' AND blocked_by IS NOT NULL;
-- Who has a permit: what runs, and what may run as soon as somebody claims it.
CREATE INDEX jobs_permits ON jobs (limit_key)
    WHERE limit_key IS NOT NULL AND (state = 'running' OR state = 'available' AND blocked_by IS NULL);
-- What a node runs: renewals, the sweep, and the cancels that a node asks for.
CREATE INDEX jobs_running ON jobs (node_id, id) WHERE state = 'running';
-- The promoter: what is due, and when the next one is. The overview counts in it, without the rows.
CREATE INDEX jobs_due ON jobs (scheduled_at, id, queue, state) WHERE state IN ('scheduled', 'retryable');
-- What an operator set aside: counted by the overview.
CREATE INDEX jobs_paused ON jobs (id, queue) WHERE state = 'paused';
-- What has ended, by state and time: retention, and the overview's counts.
CREATE INDEX jobs_finalized ON jobs (state, finalized_at, id)
    WHERE state IN ('succeeded', 'cancelled', 'discarded');
-- The children of a job.
CREATE INDEX jobs_parent ON jobs (parent_id, id) WHERE parent_id IS NOT NULL;
-- What has not ended of those that come from one root: counted before they become more.
CREATE INDEX jobs_family ON jobs (root_id)
    WHERE root_id IS NOT NULL AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
-- The children that a barrier still waits for.
CREATE INDEX jobs_awaited ON jobs (parent_run_id)
    WHERE awaited AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
-- Continuations that have not ended, which may still read what they continue: retention spares it.
CREATE INDEX jobs_continues ON jobs (continues_run_id)
    WHERE continues_run_id IS NOT NULL AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');
-- One job for a key, as long as it has a row.
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key) WHERE unique_key IS NOT NULL;
-- One job for a key, as long as it has not ended.
CREATE UNIQUE INDEX jobs_unique_active_key ON jobs (unique_active_key)
    WHERE unique_active_key IS NOT NULL
      AND state IN ('available', 'scheduled', 'running', 'retryable', 'paused');

-- One row for each attempt, written when it is claimed and completed once.
CREATE TABLE job_runs (
    id                text        NOT NULL PRIMARY KEY,
    job_id            text        NOT NULL,
    attempt           integer     NOT NULL,
    node_id           text        NOT NULL,
    executor_class    text        NOT NULL DEFAULT '',
    component_digest  text,
    started_at        integer     NOT NULL,
    finished_at       integer,
    outcome           text        NOT NULL,
    settled_by        text,
    late_outcome      text,
    late_at           integer,
    error_class       text,
    error_message     text,
    error_detail      text,
    output            text,
    -- What an answer with outputs is bounded by: the head of the row tells it, without the output.
    output_bytes      integer     GENERATED ALWAYS AS (octet_length(output)) VIRTUAL,
    duration_ms       integer,
    cost_micros       integer,
    enqueued_children integer     NOT NULL DEFAULT 0,
    progress          text,
    fuel_used         integer,
    cpu_us            integer,
    peak_memory_bytes integer,
    http_requests     integer,
    http_bytes        integer,
    log_bytes         integer,
    log_dropped       integer,
    CONSTRAINT job_runs_outcome CHECK (outcome IN (
        'started', 'success', 'error', 'snooze', 'cancelled', 'timeout', 'crashed', 'released')),
    CONSTRAINT job_runs_end CHECK (
        (finished_at IS NOT NULL) + (settled_by IS NOT NULL)
            = CASE WHEN outcome = 'started' THEN 0 ELSE 2 END),
    CONSTRAINT job_runs_sizes CHECK (octet_length(error_message) <= 4096 AND octet_length(error_detail) <= 16384)
) STRICT;

-- The attempts of a job, newest first; and no attempt twice.
CREATE UNIQUE INDEX job_runs_attempt ON job_runs (job_id, attempt);

-- What attempts logged.
CREATE TABLE run_logs (
    run_id  text        NOT NULL,
    seq     integer     NOT NULL,
    at      integer     NOT NULL,
    level   text        NOT NULL,
    message text        NOT NULL,
    fields  text,
    PRIMARY KEY (run_id, seq)
) STRICT;
