-- Runs jobs among these again that have ended, each when it is due, with their counts begun anew; the attempt goes on
-- counting. One whose active key another job holds that has not ended is left alone, as are all but the first of those
-- among these that have one key. Answers those that it moved. $1 jobs · $2 their due times as an array: id, at ·
-- $3 the state that they go to
WITH d AS MATERIALIZED (SELECT d.* FROM json_to_recordset($2::json) AS d (id uuid, at timestamptz))
UPDATE flyball.jobs j
SET state = $3,
    blocked_by = CASE WHEN $3 = 'available' THEN j.limit_key END,
    scheduled_at = d.at,
    failures = 0,
    crashes = 0,
    releases = 0,
    snoozes = 0,
    last_chance = false,
    finalized_at = NULL,
    cancel_requested_at = NULL
FROM d
WHERE j.id = ANY ($1) AND j.id = d.id
  AND coalesce(j.state, '') IN ('succeeded', 'cancelled', 'discarded')
  AND (j.unique_active_key IS NULL
    OR NOT EXISTS (
        SELECT FROM flyball.jobs o
        WHERE o.unique_active_key = j.unique_active_key
          AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused'))
    AND NOT EXISTS (
        SELECT FROM flyball.jobs o
        WHERE o.id = ANY ($1) AND o.unique_active_key = j.unique_active_key AND o.id < j.id
          AND coalesce(o.state, '') IN ('succeeded', 'cancelled', 'discarded')))
RETURNING j.id, j.state, j.limit_key AS turn
