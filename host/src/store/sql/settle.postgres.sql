-- Moves running jobs on and ends their runs, in one statement. Each item is fenced by its token: one that no longer
-- holds the lease changes nothing and is not answered. A cancel that was asked meanwhile turns every state that is not
-- terminal into cancelled.
--
-- $1 batch · $2 now · $3 who settles
WITH d AS MATERIALIZED (
    SELECT d.*
    FROM json_to_recordset($1::json) AS d (
        job uuid, run uuid, state text, scheduled_at timestamptz, failures integer, crashes integer, releases integer,
        snoozes integer, last_chance boolean, outcome text, error_class text, error_message text, error_detail text,
        output text, cost_micros bigint, duration_ms bigint, digest text, fuel_used bigint, cpu_us bigint,
        peak_memory_bytes bigint, http_requests bigint, http_bytes bigint, log_bytes bigint, log_dropped bigint,
        log json)
),
-- Batches lock their jobs in the order of ids.
held AS MATERIALIZED (
    SELECT j.id
    FROM flyball.jobs j
    WHERE j.id = ANY (ARRAY(SELECT d.job FROM d))
    ORDER BY j.id
    FOR UPDATE
),
moved AS (
    UPDATE flyball.jobs j
    SET state = CASE
            WHEN j.cancel_requested_at IS NOT NULL AND d.state NOT IN ('succeeded', 'cancelled', 'discarded')
            THEN 'cancelled' ELSE d.state END,
        finalized_at = CASE
            WHEN j.cancel_requested_at IS NOT NULL OR d.state IN ('succeeded', 'cancelled', 'discarded')
            THEN $2::timestamptz END,
        scheduled_at = coalesce(d.scheduled_at, j.scheduled_at),
        failures = d.failures,
        crashes = d.crashes,
        releases = d.releases,
        snoozes = d.snoozes,
        last_chance = coalesce(d.last_chance, j.last_chance AND d.crashes > 0),
        node_id = NULL,
        lease_token = NULL,
        deadline_at = NULL
    FROM d
    WHERE j.id = d.job
      AND j.lease_token = d.run
      -- Not "=": that would let the planner drive from the small index of what is running, once for each item.
      AND j.state IS NOT DISTINCT FROM 'running'
      AND (SELECT count(*) FROM held) > 0
    -- All of d, because joining the batch again would be quadratic.
    RETURNING j.state AS new_state, d.*
),
ended AS (
    UPDATE flyball.job_runs r
    SET outcome = m.outcome,
        settled_by = $3,
        finished_at = $2,
        error_class = m.error_class,
        error_message = m.error_message,
        error_detail = m.error_detail,
        output = m.output::json,
        cost_micros = m.cost_micros,
        duration_ms = m.duration_ms,
        component_digest = coalesce(m.digest, r.component_digest),
        fuel_used = m.fuel_used,
        cpu_us = m.cpu_us,
        peak_memory_bytes = m.peak_memory_bytes,
        http_requests = m.http_requests,
        http_bytes = m.http_bytes,
        log_bytes = m.log_bytes,
        log_dropped = m.log_dropped
    FROM moved m
    WHERE r.id = m.run AND r.outcome IS NOT DISTINCT FROM 'started'
),
logged AS (
    INSERT INTO flyball.run_logs (run_id, seq, at, level, message, fields)
    SELECT m.run, l.seq, l.at, l.level, l.message, l.fields::json
    FROM moved m
    CROSS JOIN LATERAL json_to_recordset(m.log)
        AS l (seq integer, at timestamptz, level text, message text, fields text)
    WHERE m.log IS NOT NULL
)
SELECT m.run, m.new_state AS state, m.outcome FROM moved m
