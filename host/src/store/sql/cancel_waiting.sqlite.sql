-- Cancels the jobs among these that wait. $1 jobs · $2 now
UPDATE jobs
SET state = 'cancelled', blocked_by = NULL, finalized_at = $2, cancel_requested_at = coalesce(cancel_requested_at, $2)
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING limit_key AS turn
