-- Takes down the barriers of those runs whose children have all ended. $1 runs
DELETE FROM barriers
WHERE run_id IN (
    SELECT d.value
    FROM json_each($1) AS d
    WHERE NOT EXISTS (
        SELECT 1 FROM jobs j INDEXED BY jobs_awaited
        WHERE j.parent_run_id = d.value AND j.awaited
          AND j.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')))
RETURNING run_id, continuation
