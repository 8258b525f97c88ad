-- Barriers of families of jobs, and what attempts leave for the next one.

-- What is enqueued when all follow-ups of a run have ended. Whoever ends one of them locks the row, then counts in a new
-- statement, and deletes it when it fires: so it fires once.
CREATE TABLE flyball.barriers (
    run_id       uuid        NOT NULL PRIMARY KEY,
    job_id       uuid        NOT NULL,
    continuation json        NOT NULL,
    created_at   timestamptz NOT NULL
);
-- The unfired barriers of a job: retention and cancels by parent.
CREATE INDEX barriers_job ON flyball.barriers (job_id);

-- The last checkpoint of a job, the run that saved it, and which of that run's saves it is: one that comes late takes the
-- place of none that came after it.
CREATE TABLE flyball.checkpoints (
    job_id   uuid        NOT NULL PRIMARY KEY,
    run_id   uuid        NOT NULL,
    number   bigint      NOT NULL,
    data     bytea       NOT NULL CHECK (octet_length(data) <= 1048576),
    saved_at timestamptz NOT NULL
);
