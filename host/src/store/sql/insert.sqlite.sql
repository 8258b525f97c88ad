-- Inserts jobs; answers those that it inserted. One whose id or unique key is taken is skipped, also within the batch.
-- One that a limit puts into a line waits at its end.
INSERT INTO jobs (
    id, kind, queue, args, priority, state, created_at, scheduled_at, max_attempts, timeout_ms, fuel, backoff_base_ms,
    backoff_cap_ms, unique_key, unique_active_key, parent_id, parent_run_id, root_id, depth, executor_class,
    schedule_slug, tags, metadata, awaited, continues_run_id, on_discard, limit_given, limit_key, blocked_by)
SELECT
    d.value ->> 'id', d.value ->> 'kind', d.value ->> 'queue', d.value ->> 'args', d.value ->> 'priority',
    d.value ->> 'state', d.value ->> 'created_at', d.value ->> 'scheduled_at', d.value ->> 'max_attempts',
    d.value ->> 'timeout_ms', d.value ->> 'fuel', d.value ->> 'backoff_base_ms', d.value ->> 'backoff_cap_ms',
    d.value ->> 'unique_key', d.value ->> 'unique_active_key', d.value ->> 'parent_id', d.value ->> 'parent_run_id',
    d.value ->> 'root_id', d.value ->> 'depth', d.value ->> 'executor_class', d.value ->> 'schedule_slug',
    d.value ->> 'tags', d.value ->> 'metadata', coalesce(d.value ->> 'awaited', 0), d.value ->> 'continues_run_id',
    d.value ->> 'on_discard', d.limit_given, d.line, CASE d.value ->> 'state' WHEN 'available' THEN d.line END
FROM (
    SELECT o.value, o.limit_given, {limit_key} AS line
    FROM (
        SELECT
            g.value, g.value ->> 'kind' AS kind, g.value ->> 'queue' AS queue, g.value ->> 'args' AS args,
            g.value ->> 'limit_given' AS limit_given
        FROM jsonb_each($1) AS g) AS o) AS d
WHERE true
-- Not OR IGNORE, which would skip what a CHECK refuses too.
ON CONFLICT DO NOTHING
RETURNING id, blocked_by AS turn
