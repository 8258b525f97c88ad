-- One job. $1 id
SELECT
    j.id, j.kind, j.queue, j.args, j.priority, j.state, j.attempt, j.failures, j.crashes, j.releases, j.snoozes,
    j.last_chance, j.max_attempts, j.timeout_ms, j.fuel, j.backoff_base_ms, j.backoff_cap_ms, j.created_at,
    j.scheduled_at, j.finalized_at, j.node_id, j.lease_token, j.deadline_at, j.cancel_requested_at, j.unique_key,
    j.unique_active_key, j.parent_id, j.parent_run_id, j.root_id, j.depth, j.executor_class, j.blocked_by,
    j.limit_key, j.schedule_slug, j.tags, j.metadata, j.awaited, j.continues_run_id, j.on_discard
FROM flyball.jobs j
WHERE j.id = $1
