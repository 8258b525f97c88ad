-- Barriers of families of jobs, and what attempts leave for the next one.

-- What is enqueued when all follow-ups of a run have ended. Whoever ends one of them locks the row, then counts in a new
-- statement, and deletes it when it fires: so it fires once.
CREATE TABLE barriers (
    run_id       text        NOT NULL PRIMARY KEY,
    job_id       text        NOT NULL,
    continuation text        NOT NULL,
    created_at   integer     NOT NULL
) STRICT;
-- The unfired barriers of a job: retention and cancels by parent.
CREATE INDEX barriers_job ON barriers (job_id);

-- The last checkpoint of a job, the run that saved it, and which of that run's saves it is: one that comes late takes the
-- place of none that came after it.
CREATE TABLE checkpoints (
    job_id   text        NOT NULL PRIMARY KEY,
    run_id   text        NOT NULL,
    number   integer     NOT NULL,
    data     blob        NOT NULL CHECK (octet_length(data) <= 1048576),
    saved_at integer     NOT NULL
) STRICT;
