-- Notes that a node lives; there is no lease on SQLite, so what belongs to one is not read, and the process's own timers
-- end its attempts. No row: the node was marked lost. $1 node · $2 now · $4 in flight
UPDATE nodes
SET renewed_at = $2, in_flight = $4
WHERE id = $1 AND lost_at IS NULL
RETURNING $2 AS database_time
