-- Gives the jobs among these that wait another priority; answers those that it changed. $1 jobs · $2 priority
UPDATE jobs
SET priority = $2
WHERE id IN (SELECT d.value FROM json_each($1) AS d)
  AND +state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING id, state
