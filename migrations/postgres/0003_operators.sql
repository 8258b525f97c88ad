-- What operators ordered, and what they were answered.

-- A repeated order answers what was recorded: one row for each batch of an order, named by the first of its jobs.
CREATE TABLE flyball.operator_actions (
    action_id uuid        NOT NULL,
    batch     uuid        NOT NULL,
    who       text        NOT NULL,
    at        timestamptz NOT NULL,
    what      text        COLLATE "C" NOT NULL,
    -- An array of [job, answer] in the order that was asked; empty only inside the transaction that answers.
    answer    json        NOT NULL DEFAULT '[]',
    PRIMARY KEY (action_id, batch)
);
