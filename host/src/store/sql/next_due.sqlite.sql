-- When the next job becomes due that is not due yet. $1 now
SELECT j.scheduled_at
FROM jobs j INDEXED BY jobs_due
WHERE j.state IN ('scheduled', 'retryable') AND j.scheduled_at > $1
ORDER BY j.scheduled_at
LIMIT 1
