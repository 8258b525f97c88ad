-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order, named by the first of its jobs.
CREATE TABLE operator_actions (
    action_id text        NOT NULL,
    batch     text        NOT NULL,
    who       text        NOT NULL,
    at        integer     NOT NULL,
    what      text        NOT NULL,
    -- An array of [job, answer] in the order that was asked; empty only inside the transaction that answers.
    answer    text        NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
) STRICT;
