-- Gives the jobs among these that wait another priority; answers those that it changed. $1 jobs · $2 priority
UPDATE flyball.jobs j
SET priority = $2
WHERE j.id = ANY ($1)
  AND j.state IN ('available', 'scheduled', 'retryable', 'paused')
RETURNING j.id, j.state
