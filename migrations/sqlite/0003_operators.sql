-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order. A batch of
-- jobs that were named is called by the first of them, one of a selection by the job that it begins after.
CREATE TABLE operator_actions (
    action_id    text     NOT NULL,
    batch        text     NOT NULL,
    who          text     NOT NULL,
    at           integer  NOT NULL,
    what         text     NOT NULL,
    -- What it is about: the operation, and what its jobs were found by unless they were named. Null for an order about one
    -- thing, which says so in a word.
    about        text,
    -- How many jobs the batch changed, and how many it left alone: an order is read without its answers.
    jobs_changed integer  NOT NULL DEFAULT 0,
    jobs_left    integer  NOT NULL DEFAULT 0,
    -- What was asked, [job, answer] for each job, and where the order goes on; empty only inside the transaction that
    -- answers.
    answer       text     NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
) STRICT;
