-- Makes the picked jobs running. $1 node · $2 now · $3 grants: job, run, timeout_ms, digest.
UPDATE jobs INDEXED BY sqlite_autoindex_jobs_1
SET state = 'running',
    attempt = attempt + 1,
    node_id = $1,
    lease_token = g.run,
    deadline_at = $2 + 1000000 + 1000 * coalesce(timeout_ms, g.kind_timeout_ms)
FROM (
    SELECT g.value ->> 'job' AS job, g.value ->> 'run' AS run, g.value ->> 'timeout_ms' AS kind_timeout_ms
    FROM jsonb_each($3) AS g) AS g
WHERE jobs.id = g.job AND jobs.state = 'available'
RETURNING
    lease_token, id, kind, queue, executor_class, args, priority, attempt, failures, crashes, releases, snoozes,
    last_chance, max_attempts, timeout_ms, fuel, backoff_base_ms, backoff_cap_ms, parent_id, parent_run_id, root_id,
    depth, created_at, scheduled_at, deadline_at, tags, metadata, awaited, continues_run_id,
    on_discard IS NOT NULL AS on_discard, limit_key IS NOT NULL AS limited, limit_key,
    -- A first attempt has no checkpoint, and is not looked for.
    attempt > 1 AND EXISTS (SELECT 1 FROM checkpoints p WHERE p.job_id = jobs.id) AS checkpoint
