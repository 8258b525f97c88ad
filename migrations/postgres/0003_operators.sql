-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order. A batch of
-- jobs that were named is called by the first of them, one of a selection by the job that it begins after.
CREATE TABLE flyball.operator_actions (
    action_id    uuid        NOT NULL,
    batch        uuid        NOT NULL,
    who          text        NOT NULL,
    at           timestamptz NOT NULL,
    what         text        COLLATE "C" NOT NULL,
    -- What it is about: the operation, and what its jobs were found by unless they were named. Null for an order about one
    -- thing, which says so in a word.
    about        json,
    -- How many jobs the batch changed, and how many it left alone: an order is read without its answers.
    jobs_changed bigint      NOT NULL DEFAULT 0,
    jobs_left    bigint      NOT NULL DEFAULT 0,
    -- What was asked, [job, answer] for each job, and where the order goes on; empty only inside the transaction that
    -- answers.
    answer       json        NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
);
