-- A page of jobs, newest first. $1 older than this one · $2 states as an array, null for all · $3 kind, $4 queue,
-- $5 tag, each null for any · $6 how many
SELECT
    j.id, j.kind, j.queue, j.args, j.priority, j.state, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms, j.backoff_cap_ms, j.created_at,
    j.scheduled_at, j.finalized_at, j.node_id, j.lease_token, j.deadline_at, j.cancel_requested_at, j.unique_key,
    j.unique_active_key, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.executor_class, j.blocked_by,
    j.limit_key, j.schedule_slug, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard
FROM jobs j
WHERE j.id < $1
  AND ($2 IS NULL OR j.state IN (SELECT s.value FROM json_each($2) AS s))
  AND ($3 IS NULL OR j.kind = $3)
  AND ($4 IS NULL OR j.queue = $4)
  AND ($5 IS NULL OR $5 IN (SELECT t.value FROM json_each(j.tags) AS t))
ORDER BY j.id DESC
LIMIT $6
