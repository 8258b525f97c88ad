-- Enters an order; no row: it was given before. $1 action · $2 batch · $3 who · $4 now · $5 what
INSERT INTO flyball.operator_actions (action_id, batch, who, at, what)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (action_id, batch) DO NOTHING
RETURNING batch
