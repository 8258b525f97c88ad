-- Adds a schedule; no row, if there is one of this name. $1 an array of it
INSERT INTO schedules (
    slug, kind, args, queue, priority, executor_class, max_attempts, timeout_ms, fuel, backoff_base_ms,
    backoff_cap_ms, tags, metadata, cron, every_ms, timezone, backfill_cap, overlap, active, disabled_by, origin,
    next_at, last_job_id, last_enqueued_at, last_error, created_at, updated_at)
SELECT
    d.value ->> 'slug', d.value ->> 'kind', d.value ->> 'args', d.value ->> 'queue', d.value ->> 'priority',
    d.value ->> 'executor_class', d.value ->> 'max_attempts', d.value ->> 'timeout_ms', d.value ->> 'fuel',
    d.value ->> 'backoff_base_ms', d.value ->> 'backoff_cap_ms', d.value ->> 'tags', d.value ->> 'metadata',
    d.value ->> 'cron', d.value ->> 'every_ms', d.value ->> 'timezone', d.value ->> 'backfill_cap',
    d.value ->> 'overlap', d.value ->> 'active', d.value ->> 'disabled_by', d.value ->> 'origin',
    d.value ->> 'next_at', d.value ->> 'last_job_id', d.value ->> 'last_enqueued_at', d.value ->> 'last_error',
    d.value ->> 'created_at', d.value ->> 'updated_at'
FROM jsonb_each($1) AS d
WHERE true
ON CONFLICT (slug) DO NOTHING
RETURNING slug
