-- Sets aside the jobs among these that wait; answers those that it moved. $1 jobs
UPDATE flyball.jobs j
SET state = 'paused', blocked_by = NULL
WHERE j.id = ANY ($1)
  AND j.state IN ('available', 'scheduled', 'retryable')
RETURNING j.id, j.state, j.limit_key AS turn
