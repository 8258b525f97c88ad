-- What is running past its deadline and nobody holds, with what its retries are decided by; held until the transaction
-- ends. $1 the deadline that has passed · $2 how many at most
SELECT
    j.id, j.lease_token, j.node_id, j.kind, j.queue, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.cancel_requested_at, j.max_attempts, j.backoff_base_ms, j.backoff_cap_ms,
    (SELECT k.defaults FROM flyball.kinds k WHERE k.kind = j.kind) AS defaults
FROM flyball.jobs j
WHERE j.state = 'running' AND j.deadline_at < $1
ORDER BY j.id
LIMIT $2
FOR UPDATE OF j SKIP LOCKED
