-- Deletes nodes that are no more; answers a row for each. $1 before
DELETE FROM flyball.nodes WHERE lost_at < $1 RETURNING 1 AS n
