-- What a node runs and nobody holds, as whoever settles for it needs to know it; held until the transaction ends.
-- $1 node · $2 how many at most
SELECT
    j.id, j.lease_token, j.node_id, j.kind, j.queue, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.cancel_requested_at
FROM flyball.jobs j
WHERE j.state = 'running' AND j.node_id = $1
ORDER BY j.id
LIMIT $2
FOR UPDATE SKIP LOCKED
