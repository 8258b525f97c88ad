-- Makes a schedule as it is from now on. $1 an array of it · $2 its name
UPDATE schedules
SET kind = d.value ->> 'kind', args = d.value ->> 'args', queue = d.value ->> 'queue',
    priority = d.value ->> 'priority', executor_class = d.value ->> 'executor_class',
    max_attempts = d.value ->> 'max_attempts', timeout_ms = d.value ->> 'timeout_ms', fuel = d.value ->> 'fuel',
    backoff_base_ms = d.value ->> 'backoff_base_ms', backoff_cap_ms = d.value ->> 'backoff_cap_ms',
    tags = d.value ->> 'tags', metadata = d.value ->> 'metadata', cron = d.value ->> 'cron',
    every_ms = d.value ->> 'every_ms', timezone = d.value ->> 'timezone', backfill_cap = d.value ->> 'backfill_cap',
    overlap = d.value ->> 'overlap', active = d.value ->> 'active', disabled_by = d.value ->> 'disabled_by',
    origin = d.value ->> 'origin', next_at = d.value ->> 'next_at', last_job_id = d.value ->> 'last_job_id',
    last_enqueued_at = d.value ->> 'last_enqueued_at', last_error = d.value ->> 'last_error',
    created_at = d.value ->> 'created_at', updated_at = d.value ->> 'updated_at'
FROM jsonb_each($1) AS d
WHERE schedules.slug = $2
