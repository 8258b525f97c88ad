-- Schedules, and what keeps the tables small.

-- What is enqueued by the clock. Whoever fires a schedule has locked its row: one bucket fires once.
CREATE TABLE flyball.schedules (
    slug             text        COLLATE "C" NOT NULL PRIMARY KEY,
    kind             text        COLLATE "C" NOT NULL,
    args             json        NOT NULL,
    queue            text        COLLATE "C" NOT NULL,
    priority         smallint    NOT NULL CHECK (priority >= 0),
    executor_class   text        COLLATE "C" NOT NULL DEFAULT '',
    max_attempts     integer,
    timeout_ms       bigint,
    fuel             bigint,
    backoff_base_ms  bigint,
    backoff_cap_ms   bigint,
    tags             json        NOT NULL DEFAULT '[]',
    metadata         json        NOT NULL DEFAULT '{}',
    -- An expression or an interval, and the zone whose clock an expression means.
    cron             text        COLLATE "C",
    every_ms         bigint      CHECK (every_ms > 0),
    timezone         text        COLLATE "C" NOT NULL DEFAULT 'UTC',
    backfill_cap     integer     NOT NULL DEFAULT 1 CHECK (backfill_cap >= 0),
    overlap          text        COLLATE "C" NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip')),
    active           boolean     NOT NULL DEFAULT true,
    -- Who put it out of service: a restart brings back what left a file and is in it again, not what an operator disabled.
    disabled_by      text        COLLATE "C" CHECK (disabled_by IN ('config', 'operator')),
    origin           text        COLLATE "C" NOT NULL CHECK (origin IN ('config', 'operator')),
    -- The cursor: the next bucket that may fire.
    next_at          timestamptz,
    last_job_id      uuid,
    last_enqueued_at timestamptz,
    -- Why it could not be fired the last time it was due.
    last_error       text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT schedules_timing CHECK (num_nonnulls(cron, every_ms) = 1),
    CONSTRAINT schedules_active CHECK (active = (disabled_by IS NULL))
) WITH (fillfactor = 70);

-- What is due, and when the next one is.
CREATE INDEX schedules_due ON flyball.schedules (next_at, slug) WHERE active;

-- Under steady load and short retention the tables stay as large as what they hold: dead rows are taken away when they
-- are a fiftieth, and a vacuum once begun is through before the next fiftieth has died.
ALTER TABLE flyball.jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_limit = 4000);
ALTER TABLE flyball.job_runs SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_limit = 4000);
ALTER TABLE flyball.run_logs SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_limit = 4000);
ALTER TABLE flyball.checkpoints SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_limit = 4000);
