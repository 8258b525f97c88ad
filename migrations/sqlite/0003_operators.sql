-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order. A batch of
-- jobs that were named is called by the first of them, one of a selection by the job that it begins after.
CREATE TABLE operator_actions (
    action_id text        NOT NULL,
    batch     text        NOT NULL,
    who       text        NOT NULL,
    at        integer     NOT NULL,
    what      text        NOT NULL,
    -- What was asked, [job, answer] for each job, and where the order goes on; empty only inside the transaction that
    -- answers.
    answer    text        NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
) STRICT;
