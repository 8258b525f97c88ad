-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order. A batch of
-- jobs that were named is called by the first of them, one of a selection by the job that it begins after.
CREATE TABLE flyball.operator_actions (
    action_id uuid        NOT NULL,
    batch     uuid        NOT NULL,
    who       text        NOT NULL,
    at        timestamptz NOT NULL,
    what      text        COLLATE "C" NOT NULL,
    -- What was asked, [job, answer] for each job, and where the order goes on; empty only inside the transaction that
    -- answers.
    answer    json        NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
);
