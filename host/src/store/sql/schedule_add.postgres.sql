-- Adds a schedule; no row, if there is one of this name. $1 an array of it
INSERT INTO flyball.schedules (
    slug, kind, args, queue, priority, executor_class, max_attempts, timeout_ms, fuel, backoff_base_ms,
    backoff_cap_ms, tags, metadata, cron, every_ms, timezone, backfill_cap, overlap, active, disabled_by, origin,
    next_at, last_job_id, last_enqueued_at, last_error, created_at, updated_at)
SELECT
    d.slug, d.kind, d.args::json, d.queue, d.priority, d.executor_class, d.max_attempts, d.timeout_ms, d.fuel,
    d.backoff_base_ms, d.backoff_cap_ms, d.tags::json, d.metadata::json, d.cron, d.every_ms, d.timezone,
    d.backfill_cap, d.overlap, d.active, d.disabled_by, d.origin, d.next_at, d.last_job_id, d.last_enqueued_at,
    d.last_error, d.created_at, d.updated_at
FROM json_to_recordset($1::json) AS d (
    slug text, kind text, args text, queue text, priority smallint, executor_class text, max_attempts integer,
    timeout_ms bigint, fuel bigint, backoff_base_ms bigint, backoff_cap_ms bigint, tags text, metadata text,
    cron text, every_ms bigint, timezone text, backfill_cap integer, overlap text, active boolean, disabled_by text,
    origin text, next_at timestamptz, last_job_id uuid, last_enqueued_at timestamptz, last_error text,
    created_at timestamptz, updated_at timestamptz)
ON CONFLICT (slug) DO NOTHING
RETURNING slug
