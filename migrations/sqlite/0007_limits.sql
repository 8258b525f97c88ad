-- Limits: how many jobs run at once, or start in a time.

-- Definitions. One without a field is about the whole of a queue or a kind: claims give it no more than there is room for,
-- and no job is touched. One with a field is about each key apart: the text of that field of the args, or what the job
-- named itself.
CREATE TABLE limits (
    name        text    NOT NULL PRIMARY KEY,
    queue       text,
    kind        text,
    -- As it was written, and the way to it.
    field       text,
    path        text,
    -- Jobs that run at once.
    concurrency integer CHECK (concurrency > 0),
    -- A bucket of `burst` tokens, into which `permits` come every `per_ms`; each start takes one.
    permits     integer CHECK (permits > 0),
    per_ms      integer CHECK (per_ms > 0),
    burst       integer CHECK (burst > 0),
    origin      text    NOT NULL,
    -- The bucket, where there are no keys: its tokens at a time. Full at first.
    level       real    NOT NULL DEFAULT 9e999,
    filled_at   integer NOT NULL,
    CONSTRAINT limits_scope CHECK (coalesce(queue, kind) IS NOT NULL),
    CONSTRAINT limits_path CHECK ((field IS NULL) = (path IS NULL)),
    CONSTRAINT limits_bound CHECK (coalesce(concurrency, permits) IS NOT NULL),
    CONSTRAINT limits_rate CHECK ((permits IS NULL) = (per_ms IS NULL) AND (permits IS NULL) = (burst IS NULL))
) STRICT;

-- The keys of limits.
CREATE TABLE limit_keys (
    key       text    NOT NULL PRIMARY KEY,
    -- The key's bucket, as above.
    level     real    NOT NULL DEFAULT 9e999,
    filled_at integer NOT NULL,
    -- When somebody has to look at it again: the next token comes for which a job waits.
    next_at   integer
) STRICT;
CREATE INDEX limit_keys_next ON limit_keys (next_at) WHERE next_at IS NOT NULL;

-- Keys that somebody has to look at: jobs came in by a transaction that did not give permits.
CREATE TABLE limit_turns (
    id  integer NOT NULL PRIMARY KEY,
    key text    NOT NULL
) STRICT;
CREATE INDEX limit_turns_key ON limit_turns (key);

-- After a definition has changed, all jobs that have not ended are looked at, from the newest to the oldest, and once more:
-- before which one the next look begins, null if there is nothing to look at; and how often the walk has still to end.
CREATE TABLE limit_walk (
    id     integer NOT NULL PRIMARY KEY CHECK (id = 1),
    before text,
    rounds integer NOT NULL DEFAULT 0
) STRICT;
INSERT INTO limit_walk (id) VALUES (1);
