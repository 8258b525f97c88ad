-- Inserts jobs; answers those that it inserted. One whose id or unique key is taken is skipped, also within the batch.
INSERT INTO flyball.jobs (
    id, kind, queue, args, priority, state, created_at, scheduled_at, max_attempts, timeout_ms, fuel, backoff_base_ms,
    backoff_cap_ms, unique_key, unique_active_key, parent_id, parent_run_id, root_id, depth, executor_class,
    schedule_slug, tags, metadata, awaited, continues_run_id, on_discard)
SELECT
    d.id, d.kind, d.queue, d.args::json, d.priority, d.state, d.created_at, d.scheduled_at, d.max_attempts,
    d.timeout_ms, d.fuel, d.backoff_base_ms, d.backoff_cap_ms, d.unique_key, d.unique_active_key, d.parent_id,
    d.parent_run_id, d.root_id, d.depth, d.executor_class, d.schedule_slug, d.tags, d.metadata::json,
    coalesce(d.awaited, false), d.continues_run_id, d.on_discard::json
FROM json_to_recordset($1::json) AS d (
    id uuid, kind text, queue text, args text, priority smallint, state text, created_at timestamptz,
    scheduled_at timestamptz, max_attempts integer, timeout_ms bigint, fuel bigint, backoff_base_ms bigint,
    backoff_cap_ms bigint, unique_key text, unique_active_key text, parent_id uuid, parent_run_id uuid, root_id uuid,
    depth smallint, executor_class text, schedule_slug text, tags json, metadata text, awaited boolean,
    continues_run_id uuid, on_discard text)
ON CONFLICT DO NOTHING
RETURNING id
