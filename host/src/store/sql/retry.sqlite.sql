-- Makes jobs among these available: those that wait, and those that ended but for success, whose count of failures
-- begins anew. One whose active key another job holds that has not ended is left alone, as are all but the first of
-- those among these that have one key. Answers those that it moved. $1 jobs · $2 now
UPDATE jobs
SET state = 'available',
    -- One that was let through stays so.
    blocked_by = CASE WHEN state = 'available' THEN blocked_by ELSE limit_key END,
    scheduled_at = CASE WHEN state = 'available' THEN scheduled_at ELSE $2 END,
    failures = CASE WHEN state IN ('cancelled', 'discarded') THEN 0 ELSE failures END,
    crashes = 0,
    releases = 0,
    last_chance = 0,
    finalized_at = NULL,
    cancel_requested_at = NULL
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('available', 'scheduled', 'retryable', 'cancelled', 'discarded')
  AND (unique_active_key IS NULL
    OR +state IN ('available', 'scheduled', 'retryable')
    OR NOT EXISTS (
        SELECT 1 FROM jobs o
        WHERE o.unique_active_key = jobs.unique_active_key
          AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))
    AND NOT EXISTS (
        SELECT 1 FROM json_each($1) AS d
        CROSS JOIN jobs o ON o.id = d.value
        WHERE o.unique_active_key = jobs.unique_active_key AND o.id < jobs.id
          AND +o.state IN ('cancelled', 'discarded')))
RETURNING id, state, limit_key AS turn
