-- A page of jobs, newest first. $1 older than this one · $2 no older than this one · $3 how many · and, each null for
-- any: $4 states as an array · $5 kind · $6 queue · $7 tag · $8 executor class · $9 parent · $10 root · $11 schedule ·
-- $12 class of the last run's error · created at or after $13, before $14 · ended at or after $15, before $16
SELECT
    j.id, j.kind, j.queue, j.args, j.priority, j.state, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms, j.backoff_cap_ms, j.created_at,
    j.scheduled_at, j.finalized_at, j.node_id, j.lease_token, j.deadline_at, j.cancel_requested_at, j.unique_key,
    j.unique_active_key, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.executor_class, j.blocked_by,
    j.limit_key, j.schedule_slug, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard
FROM flyball.jobs j
WHERE j.id < $1 AND j.id >= $2
  AND ($4::text IS NULL OR j.state IN (SELECT s.value FROM json_array_elements_text($4::json) AS s (value)))
  AND ($5::text IS NULL OR j.kind = $5)
  AND ($6::text IS NULL OR j.queue = $6)
  AND ($7::text IS NULL OR $7 IN (SELECT t.value FROM json_array_elements_text(j.tags) AS t (value)))
  AND ($8::text IS NULL OR j.executor_class = $8)
  AND ($9::uuid IS NULL OR j.parent_id = $9)
  AND ($10::uuid IS NULL OR j.root_id = $10)
  AND ($11::text IS NULL OR j.schedule_slug = $11)
  -- A value, not EXISTS: that might be answered by a table of all runs.
  AND ($12::text IS NULL
    OR $12 = (SELECT r.error_class FROM flyball.job_runs r WHERE r.job_id = j.id AND r.attempt = j.attempt))
  AND ($13::timestamptz IS NULL OR j.created_at >= $13)
  AND ($14::timestamptz IS NULL OR j.created_at < $14)
  AND ($15::timestamptz IS NULL OR j.finalized_at >= $15)
  AND ($16::timestamptz IS NULL OR j.finalized_at < $16)
ORDER BY j.id DESC
LIMIT $3
