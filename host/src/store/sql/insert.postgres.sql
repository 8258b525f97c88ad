-- Inserts jobs; answers those that it inserted. One whose id or unique key is taken is skipped, also within the batch.
-- One that a limit puts into a line waits at its end, and that somebody has to look at it is noted with it.
WITH new AS (
INSERT INTO flyball.jobs (
    id, kind, queue, args, priority, state, created_at, scheduled_at, max_attempts, timeout_ms, fuel, backoff_base_ms,
    backoff_cap_ms, unique_key, unique_active_key, parent_id, parent_run_id, root_id, depth, executor_class,
    schedule_slug, tags, metadata, awaited, continues_run_id, on_discard, limit_given, limit_key, blocked_by)
SELECT
    o.id, o.kind, o.queue, o.args::json, o.priority, o.state, o.created_at, o.scheduled_at, o.max_attempts,
    o.timeout_ms, o.fuel, o.backoff_base_ms, o.backoff_cap_ms, o.unique_key, o.unique_active_key, o.parent_id,
    o.parent_run_id, o.root_id, o.depth, o.executor_class, o.schedule_slug, o.tags, o.metadata::json,
    coalesce(o.awaited, false), o.continues_run_id, o.on_discard::json, o.limit_given, k.line,
    CASE o.state WHEN 'available' THEN k.line END
FROM json_to_recordset($1::json) AS o (
    id uuid, kind text, queue text, args text, priority smallint, state text, created_at timestamptz,
    scheduled_at timestamptz, max_attempts integer, timeout_ms bigint, fuel bigint, backoff_base_ms bigint,
    backoff_cap_ms bigint, unique_key text, unique_active_key text, parent_id uuid, parent_run_id uuid, root_id uuid,
    depth smallint, executor_class text, schedule_slug text, tags json, metadata text, awaited boolean,
    continues_run_id uuid, on_discard text, limit_given text)
CROSS JOIN LATERAL (SELECT {limit_key} AS line OFFSET 0) k
ON CONFLICT DO NOTHING
RETURNING id, blocked_by
),
noted AS (
    INSERT INTO flyball.limit_turns (key) SELECT DISTINCT n.blocked_by FROM new n WHERE n.blocked_by IS NOT NULL
)
SELECT n.id, n.blocked_by AS turn FROM new n
