-- Sets aside the jobs among these that wait; answers those that it moved. $1 jobs
UPDATE jobs
SET state = 'paused', blocked_by = NULL
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('available', 'scheduled', 'retryable')
RETURNING id, state, limit_key AS turn
