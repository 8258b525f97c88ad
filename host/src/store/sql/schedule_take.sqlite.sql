-- A schedule that is due. $1 slug · $2 now
SELECT
    s.slug, s.kind, s.args, s.queue, s.priority, s.executor_class, s.max_attempts, s.timeout_ms, s.fuel,
    s.backoff_base_ms, s.backoff_cap_ms, s.tags, s.metadata, s.cron, s.every_ms, s.timezone, s.backfill_cap,
    s.overlap, s.active, s.disabled_by, s.origin, s.next_at, s.last_job_id, s.last_enqueued_at, s.last_error,
    s.created_at, s.updated_at
FROM schedules s
WHERE s.slug = $1 AND s.active AND s.next_at <= $2
