-- Schedules.

-- What is enqueued by the clock. There is one writer: one bucket fires once.
CREATE TABLE schedules (
    slug             text        NOT NULL PRIMARY KEY,
    kind             text        NOT NULL,
    args             text        NOT NULL,
    queue            text        NOT NULL,
    priority         integer     NOT NULL CHECK (priority >= 0),
    executor_class   text        NOT NULL DEFAULT '',
    max_attempts     integer,
    timeout_ms       integer,
    fuel             integer,
    backoff_base_ms  integer,
    backoff_cap_ms   integer,
    tags             text        NOT NULL DEFAULT '[]',
    metadata         text        NOT NULL DEFAULT '{}',
    -- An expression or an interval, and the zone whose clock an expression means.
    cron             text,
    every_ms         integer     CHECK (every_ms > 0),
    timezone         text        NOT NULL DEFAULT 'UTC',
    backfill_cap     integer     NOT NULL DEFAULT 1 CHECK (backfill_cap >= 0),
    overlap          text        NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip')),
    active           integer     NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    -- Who put it out of service: a restart brings back what left a file and is in it again, not what an operator disabled.
    disabled_by      text        CHECK (disabled_by IN ('config', 'operator')),
    origin           text        NOT NULL CHECK (origin IN ('config', 'operator')),
    -- The cursor: the next bucket that may fire.
    next_at          integer,
    last_job_id      text,
    last_enqueued_at integer,
    -- Why it could not be fired the last time it was due.
    last_error       text,
    created_at       integer     NOT NULL,
    updated_at       integer     NOT NULL,
    CONSTRAINT schedules_timing CHECK ((cron IS NOT NULL) + (every_ms IS NOT NULL) = 1),
    CONSTRAINT schedules_active CHECK (active = (disabled_by IS NULL))
) STRICT;

-- What is due, and when the next one is.
CREATE INDEX schedules_due ON schedules (next_at, slug) WHERE active;
