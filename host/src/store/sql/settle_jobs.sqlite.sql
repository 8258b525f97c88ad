-- Moves the jobs of a batch on, after their runs were ended. Each item is fenced by its token: one that no longer
-- holds the lease changes nothing and is not answered. A cancel that was asked meanwhile turns every state that is not
-- terminal into cancelled. $1 batch · $2 now
UPDATE jobs INDEXED BY sqlite_autoindex_jobs_1
SET state = CASE
        WHEN cancel_requested_at IS NOT NULL AND d.state NOT IN ('succeeded', 'cancelled', 'discarded')
        THEN 'cancelled' ELSE d.state END,
    finalized_at = CASE
        WHEN cancel_requested_at IS NOT NULL OR d.state IN ('succeeded', 'cancelled', 'discarded')
        THEN $2 END,
    scheduled_at = coalesce(d.scheduled_at, jobs.scheduled_at),
    failures = d.failures,
    crashes = d.crashes,
    releases = d.releases,
    snoozes = d.snoozes,
    last_chance = coalesce(d.last_chance, jobs.last_chance AND d.crashes > 0),
    node_id = NULL,
    lease_token = NULL,
    deadline_at = NULL,
    -- Back in its line.
    blocked_by = CASE WHEN cancel_requested_at IS NULL AND d.state = 'available' THEN limit_key END
FROM (
    SELECT
        d.value ->> 'job' AS job, d.value ->> 'run' AS run, d.value ->> 'state' AS state,
        d.value ->> 'scheduled_at' AS scheduled_at, d.value ->> 'failures' AS failures,
        d.value ->> 'crashes' AS crashes, d.value ->> 'releases' AS releases, d.value ->> 'snoozes' AS snoozes,
        d.value ->> 'last_chance' AS last_chance
    FROM jsonb_each($1) AS d) AS d
WHERE jobs.id = d.job
  AND jobs.lease_token = d.run
  AND jobs.state = 'running'
RETURNING
    (SELECT r.id FROM job_runs r WHERE r.job_id = jobs.id AND r.attempt = jobs.attempt) AS run,
    state, limit_key AS turn,
    (SELECT r.outcome FROM job_runs r WHERE r.job_id = jobs.id AND r.attempt = jobs.attempt) AS outcome
