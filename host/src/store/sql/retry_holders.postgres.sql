-- Who holds the active keys of jobs that a retry left alone. $1 jobs
SELECT j.id, o.id AS holder
FROM flyball.jobs j
JOIN flyball.jobs o ON o.unique_active_key = j.unique_active_key
WHERE j.id = ANY ($1)
  AND o.state IN ('available', 'scheduled', 'running', 'retryable', 'paused')
