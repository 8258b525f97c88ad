-- Makes jobs among these available: those that wait, and those that ended but for success, whose count of failures
-- begins anew. One whose active key another job holds that has not ended is left alone, as are all but the first of
-- those among these that have one key. Answers those that it moved. $1 jobs · $2 now
UPDATE flyball.jobs j
SET state = 'available',
    -- One that was let through stays so.
    blocked_by = CASE WHEN j.state = 'available' THEN j.blocked_by ELSE j.limit_key END,
    scheduled_at = CASE WHEN j.state = 'available' THEN j.scheduled_at ELSE $2 END,
    failures = CASE WHEN j.state IN ('cancelled', 'discarded') THEN 0 ELSE j.failures END,
    crashes = 0,
    releases = 0,
    last_chance = false,
    finalized_at = NULL,
    cancel_requested_at = NULL
WHERE j.id = ANY ($1)
  AND j.state IN ('available', 'scheduled', 'retryable', 'cancelled', 'discarded')
  AND (j.unique_active_key IS NULL
    OR j.state IN ('available', 'scheduled', 'retryable')
    OR NOT EXISTS (
        SELECT FROM flyball.jobs o
        WHERE o.unique_active_key = j.unique_active_key
          AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))
    AND NOT EXISTS (
        SELECT FROM flyball.jobs o
        WHERE o.id = ANY ($1) AND o.unique_active_key = j.unique_active_key AND o.id < j.id
          AND o.state IN ('cancelled', 'discarded')))
RETURNING j.id, j.state, j.limit_key AS turn
