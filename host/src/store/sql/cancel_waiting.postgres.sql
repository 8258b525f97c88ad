-- Cancels the jobs among these that wait. $1 jobs · $2 now
UPDATE flyball.jobs j
SET state = 'cancelled', blocked_by = NULL, finalized_at = $2, cancel_requested_at = coalesce(j.cancel_requested_at, $2)
WHERE j.id = ANY ($1)
  AND j.state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING j.limit_key AS turn
