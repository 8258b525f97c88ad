-- What a node runs, as whoever settles for it needs to know it: there is one writer, so nobody holds any of it.
-- $1 node · $2 how many at most
SELECT
    j.id, j.lease_token, j.node_id, j.kind, j.queue, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.cancel_requested_at
FROM jobs j
WHERE j.state = 'running' AND j.node_id = $1
ORDER BY j.id
LIMIT $2
