-- What is running for a node that was marked lost or has no row. $1 how many at most
SELECT
    j.id, j.lease_token, j.node_id, j.kind, j.queue, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.cancel_requested_at
FROM flyball.jobs j
WHERE j.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM flyball.nodes n WHERE n.id = j.node_id AND n.lost_at IS NULL)
-- As the index has them: to sort by id alone would lead through the whole table.
ORDER BY j.node_id, j.id
LIMIT $1
