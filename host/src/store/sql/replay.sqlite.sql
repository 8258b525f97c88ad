-- Runs jobs among these again that have ended, each when it is due, with their counts begun anew; the attempt goes on
-- counting. One whose active key another job holds that has not ended is left alone, as are all but the first of those
-- among these that have one key. Answers those that it moved. $1 jobs · $2 their due times as an array: id, at ·
-- $3 the state that they go to
UPDATE jobs
SET state = $3,
    blocked_by = CASE WHEN $3 = 'available' THEN limit_key END,
    scheduled_at = (SELECT d.value ->> 'at' FROM json_each($2) AS d WHERE d.value ->> 'id' = jobs.id),
    failures = 0,
    crashes = 0,
    releases = 0,
    snoozes = 0,
    last_chance = 0,
    finalized_at = NULL,
    cancel_requested_at = NULL
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('succeeded', 'cancelled', 'discarded')
  AND (unique_active_key IS NULL
    OR NOT EXISTS (
        SELECT 1 FROM jobs o
        WHERE o.unique_active_key = jobs.unique_active_key
          AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))
    AND NOT EXISTS (
        SELECT 1 FROM json_each($1) AS d
        CROSS JOIN jobs o ON o.id = d.value
        WHERE o.unique_active_key = jobs.unique_active_key AND o.id < jobs.id
          AND +o.state IN ('succeeded', 'cancelled', 'discarded')))
RETURNING id, state, limit_key AS turn
