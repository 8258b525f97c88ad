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
        deadline_at = NULL,
        -- Back in its line.
        blocked_by = CASE
            WHEN j.cancel_requested_at IS NULL AND d.state = 'available' THEN j.limit_key END
    FROM d
    -- By the ids, whatever the planner thinks of the sizes. Only what is running has a token: to say so once more would
    -- let it expect a single job, and go through the whole batch for each.
    WHERE j.id = ANY (ARRAY(SELECT h.id FROM held h))
      AND j.id = d.job
      AND j.lease_token = d.run
    RETURNING d.run, d.outcome, j.state, j.limit_key AS turn
),
ended AS (
    UPDATE flyball.job_runs r
    SET outcome = d.outcome,
        settled_by = $3,
        finished_at = $2,
        error_class = d.error_class,
        error_message = d.error_message,
        error_detail = d.error_detail,
        output = d.output::json,
        cost_micros = d.cost_micros,
        duration_ms = d.duration_ms,
        component_digest = coalesce(d.digest, r.component_digest),
        fuel_used = d.fuel_used,
        cpu_us = d.cpu_us,
        peak_memory_bytes = d.peak_memory_bytes,
        http_requests = d.http_requests,
        http_bytes = d.http_bytes,
        log_bytes = d.log_bytes,
        log_dropped = d.log_dropped
    -- The batch once more, not what moved: of that the planner expects too little.
    FROM d
    WHERE r.id = ANY (ARRAY(SELECT m.run FROM moved m))
      AND r.id = d.run
      -- A CASE is believed to be true of every other row; "=", of nearly none.
      AND CASE r.outcome WHEN 'started' THEN true END
),
logged AS (
    INSERT INTO flyball.run_logs (run_id, seq, at, level, message, fields)
    SELECT d.run, l.seq, l.at, l.level, l.message, l.fields::json
    FROM d
    CROSS JOIN LATERAL json_to_recordset(d.log)
        AS l (seq integer, at timestamptz, level text, message text, fields text)
    WHERE d.log IS NOT NULL AND d.run = ANY (ARRAY(SELECT m.run FROM moved m))
),
-- Should nobody look at their lines in this transaction, somebody does soon after.
noted AS (
    INSERT INTO flyball.limit_turns (key) SELECT DISTINCT m.turn FROM moved m WHERE m.turn IS NOT NULL
)
SELECT m.run, m.state, m.outcome, m.turn FROM moved m
