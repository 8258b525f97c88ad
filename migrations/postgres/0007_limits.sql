-- Limits: how many jobs run at once, or start in a time, over all nodes.

-- Definitions. One without a field is about the whole of a queue or a kind: claims give it no more than there is room for,
-- and no job is touched. One with a field is about each key apart: the text of that field of the args, or what the job
-- named itself.
CREATE TABLE flyball.limits (
    name        text             COLLATE "C" NOT NULL PRIMARY KEY,
    queue       text             COLLATE "C",
    kind        text             COLLATE "C",
    -- As it was written, and the way to it.
    field       text,
    path        text[],
    -- Jobs that run at once.
    concurrency integer          CHECK (concurrency > 0),
    -- A bucket of `burst` tokens, into which `permits` come every `per_ms`; each start takes one.
    permits     integer          CHECK (permits > 0),
    per_ms      bigint           CHECK (per_ms > 0),
    burst       integer          CHECK (burst > 0),
    origin      text             COLLATE "C" NOT NULL,
    -- The bucket, where there are no keys: its tokens at a time. Full at first.
    level       double precision NOT NULL DEFAULT 'Infinity',
    filled_at   timestamptz      NOT NULL,
    CONSTRAINT limits_scope CHECK (num_nonnulls(queue, kind) > 0),
    CONSTRAINT limits_path CHECK ((field IS NULL) = (path IS NULL)),
    CONSTRAINT limits_bound CHECK (num_nonnulls(concurrency, permits) > 0),
    CONSTRAINT limits_rate CHECK (num_nonnulls(permits, per_ms, burst) IN (0, 3))
) WITH (fillfactor = 50);

-- The keys of limits. Whoever gives permits of a key holds its row until the transaction ends.
CREATE TABLE flyball.limit_keys (
    key       text             COLLATE "C" NOT NULL PRIMARY KEY,
    -- The key's bucket, as above.
    level     double precision NOT NULL DEFAULT 'Infinity',
    filled_at timestamptz      NOT NULL,
    -- When somebody has to look at it again: the next token comes for which a job waits.
    next_at   timestamptz
) WITH (fillfactor = 50);
CREATE INDEX limit_keys_next ON flyball.limit_keys (next_at) WHERE next_at IS NOT NULL;

-- Keys that somebody has to look at: jobs came in by a transaction that could not hold the key.
CREATE TABLE flyball.limit_turns (
    id  bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text   COLLATE "C" NOT NULL
);
CREATE INDEX limit_turns_key ON flyball.limit_turns (key);

-- After a definition has changed, all jobs that have not ended are looked at, from the newest to the oldest, and once more:
-- before which one the next look begins, null if there is nothing to look at; and how often the walk has still to end.
CREATE TABLE flyball.limit_walk (
    id     integer NOT NULL PRIMARY KEY CHECK (id = 1),
    before uuid,
    rounds integer NOT NULL DEFAULT 0
);
INSERT INTO flyball.limit_walk (id) VALUES (1);
