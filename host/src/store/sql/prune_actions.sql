-- Deletes old orders, some at a time; answers a row for each batch of one. Their ids begin with when they were minted,
-- unless the caller made them in another way: so they are asked for their time too. $1 the first id that is not meant ·
-- $2 before
DELETE FROM flyball.operator_actions
WHERE action_id IN (
    SELECT a.action_id FROM flyball.operator_actions a WHERE a.action_id < $1 AND a.at < $2 ORDER BY a.action_id LIMIT 1000)
  AND at < $2
RETURNING 1 AS n
