-- Makes a schedule, whose row is held, as it is from now on. $1 an array of it · $2 its name
UPDATE flyball.schedules s
SET kind = d.kind, args = d.args::json, queue = d.queue, priority = d.priority, executor_class = d.executor_class,
    max_attempts = d.max_attempts, timeout_ms = d.timeout_ms, fuel = d.fuel, backoff_base_ms = d.backoff_base_ms,
    backoff_cap_ms = d.backoff_cap_ms, tags = d.tags::json, metadata = d.metadata::json, cron = d.cron,
    every_ms = d.every_ms, timezone = d.timezone, backfill_cap = d.backfill_cap, overlap = d.overlap,
    active = d.active, disabled_by = d.disabled_by, origin = d.origin, next_at = d.next_at,
    last_job_id = d.last_job_id, last_enqueued_at = d.last_enqueued_at, last_error = d.last_error,
    created_at = d.created_at, updated_at = d.updated_at
FROM json_to_recordset($1::json) AS d (
    kind text, args text, queue text, priority smallint, executor_class text, max_attempts integer,
    timeout_ms bigint, fuel bigint, backoff_base_ms bigint, backoff_cap_ms bigint, tags text, metadata text,
    cron text, every_ms bigint, timezone text, backfill_cap integer, overlap text, active boolean, disabled_by text,
    origin text, next_at timestamptz, last_job_id uuid, last_enqueued_at timestamptz, last_error text,
    created_at timestamptz, updated_at timestamptz)
WHERE s.slug = $2
